/** Real servers behind connections that break: nginx for what is static, git's own backend, and a front before each. */

import { once } from 'node:events';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { type Front, type FrontRule, startFront } from '../../../src/lab/index.ts';
import { startNginx } from '../../peers/nginx.ts';
import { createRepository, type GitFolder, serveGit } from '../servers.ts';
import {
  createAptRepository,
  createFile,
  createIndex,
  createRegistry,
  type DebPackage,
  type Project,
  type Wheel,
} from './goods.ts';

/** Every connection is cut after 256 KiB to 2 MiB, and one of five is refused. */
export const hostile: readonly FrontRule[] = [
  { on: 'every', shareRatio: 0.2, do: { kind: 'refuse' } },
  { on: 'every', do: { kind: 'cut', by: 'rst', atRandomByte: { min: 262_144, max: 2_097_152 } } },
];

export interface Origins extends AsyncDisposable {
  readonly pypi: { readonly url: string; readonly wheels: readonly Wheel[] };
  readonly npm: { readonly url: string; readonly project: Project };
  readonly git: { readonly url: string; readonly head: string };
  readonly file: { readonly url: string; readonly sha256: string };
  readonly apt: { readonly url: string; readonly deb: DebPackage };
  /** By the names above. */
  readonly fronts: ReadonlyMap<string, Front>;
}

const server = `
  location /npm/ { try_files $uri/packument.json $uri =404; types { application/json json; } }
  location /pypi/ { index index.html; types { text/html html; } }
`;

/** Different for each seed, and the same for the same. */
export async function startOrigins(seed: number, rules: readonly FrontRule[] = hostile): Promise<Origins> {
  const nginx = await startNginx({ server });
  const www = join(nginx.folder, 'www');
  const repository = await createRepository(1_000_000);
  const gitPort = await serve(repository);
  const fronts = new Map<string, Front>();
  const front = async (name: string, port: number) => {
    const started = await startFront({ target: { host: '127.0.0.1', port }, rules, seed: seed * 10 + fronts.size });
    fronts.set(name, started);
    return started.url;
  };
  const pypiUrl = `${await front('pypi', nginx.port)}/pypi/simple`;
  const npmUrl = `${await front('npm', nginx.port)}/npm`;
  const gitUrl = await front('git', gitPort.port);
  const fileUrl = await front('file', nginx.port);
  const aptUrl = `${await front('apt', nginx.port)}/apt`;
  return {
    pypi: { url: pypiUrl, wheels: await createIndex(join(www, 'pypi/simple')) },
    npm: { url: npmUrl, project: await createRegistry(join(www, 'npm'), npmUrl) },
    git: { url: gitUrl, head: repository.head },
    file: { url: fileUrl, sha256: await createFile(join(www, 'big.bin')) },
    apt: { url: aptUrl, deb: await createAptRepository(join(www, 'apt')) },
    fronts,
    [Symbol.asyncDispose]: async () => {
      for (const each of fronts.values()) await each.close();
      gitPort.close();
      await repository[Symbol.asyncDispose]();
      await nginx[Symbol.asyncDispose]();
    },
  };
}

async function serve(repository: GitFolder): Promise<{ readonly port: number; close(): void }> {
  const listening = createServer(serveGit(repository.path)).listen(0, '127.0.0.1');
  await once(listening, 'listening');
  return {
    port: (listening.address() as { readonly port: number }).port,
    close: () => {
      listening.closeAllConnections();
      listening.close();
    },
  };
}
