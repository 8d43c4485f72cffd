import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** One temporary folder for a whole scorecard, with one of its own for every run. */
export interface Workplace extends AsyncDisposable {
  readonly cacert: string;
  /** A fresh folder; its name is the scenario's. */
  folderFor(name: string): Promise<string>;
}

export async function openWorkplace(ca: string): Promise<Workplace> {
  const root = await mkdtemp(join(tmpdir(), 'reknit-conformance-'));
  // A second Ctrl-C leaves the process at once, and nothing awaits then.
  const onExit = () => rmSync(root, { recursive: true, force: true });
  process.on('exit', onExit);
  const cacert = join(root, 'lab-ca.pem');
  await writeFile(cacert, ca);
  return {
    cacert,
    async folderFor(name) {
      const folder = join(root, name);
      await mkdir(folder);
      return folder;
    },
    async [Symbol.asyncDispose]() {
      // Processes that were killed a moment ago may still write.
      await rm(root, { recursive: true, force: true, maxRetries: 5 });
      process.off('exit', onExit);
    },
  };
}

const proxyVariables = new Set(['http_proxy', 'https_proxy', 'all_proxy', 'ftp_proxy', 'no_proxy']);

/** What the environment of a client says about its run. */
export interface Surroundings {
  readonly cacert: string;
  readonly folder: string;
  /** The scenario's own proxy; without one there is none on the way. */
  readonly proxyUrl: string | undefined;
}

/** The lab's authority for clients that take it from a variable, and no proxy but the scenario's. */
export function environmentOf(base: NodeJS.ProcessEnv, { cacert, folder, proxyUrl }: Surroundings): NodeJS.ProcessEnv {
  const kept = Object.entries(base).filter(([name]) => !proxyVariables.has(name.toLowerCase()));
  return {
    ...Object.fromEntries(kept),
    // curl does not read HTTP_PROXY in capitals, others only that.
    ...(proxyUrl !== undefined && {
      http_proxy: proxyUrl,
      https_proxy: proxyUrl,
      HTTP_PROXY: proxyUrl,
      HTTPS_PROXY: proxyUrl,
    }),
    CURL_CA_BUNDLE: cacert,
    SSL_CERT_FILE: cacert,
    REQUESTS_CA_BUNDLE: cacert,
    NODE_EXTRA_CA_CERTS: cacert,
    TMPDIR: folder,
  };
}
