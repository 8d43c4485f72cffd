import { createRequire } from 'node:module';
import { extname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** A client that the lab knows how to call. */
export interface Preset {
  readonly name: string;
  /** What a heading calls it. */
  readonly title: string;
  /** How it is called, in one sentence. */
  readonly how: string;
  /** The command with its placeholders; JavaScript clients are looked for from this folder. */
  command(folder: string): readonly string[];
  /** Prints a line with the version. */
  versionCommand(folder: string): readonly string[];
}

/** A package that a preset needs is not installed. */
export class MissingPeerError extends Error {
  override readonly name = 'MissingPeerError';
}

const tries = '20 tries, 2 s of silence at most, waits of 0.1 to 1 s';

/** Clients of the field. Those of reknit itself are added by its command line: the lab knows nobody that it judges. */
export const presets: readonly Preset[] = [
  program('curl', 'curl --retry 5', 'As a script calls it: five retries of every error, no time limits.', [
    ...['curl', '-q', '-fsSL', '--retry', '5', '--retry-all-errors', '--cacert', '{cacert}', '-o', '{file}', '{url}'],
  ]),
  program(
    'curl-tuned',
    'curl -C - tuned',
    'Continues (-C -), 20 tries a second apart, below 1000 B/s for 2 s is a failure.',
    [
      ...['curl', '-q', '-fsSL', '--retry', '19', '--retry-all-errors', '--retry-delay', '1', '-C', '-'],
      ...['--speed-limit', '1000', '--speed-time', '2', '--cacert', '{cacert}', '-o', '{file}', '{url}'],
    ],
  ),
  program('wget', 'wget', 'As a script calls it: 20 tries.', [
    ...['wget', '--no-config', '-q', '--tries=20', '--ca-certificate={cacert}', '-O', '{file}', '{url}'],
  ]),
  program('wget-tuned', 'wget tuned', '20 tries, also of refusals and of 408, 429 and 5xx, 2 s of silence at most.', [
    ...['wget', '--no-config', '-nv', '--tries=20', '--waitretry=1', '--timeout=2', '--retry-connrefused'],
    ...['--retry-on-http-error=408,429,500,502,503,504', '--ca-certificate={cacert}', '-O', '{file}', '{url}'],
  ]),
  program('aria2', 'aria2 -x8', 'Eight connections, 20 tries a second apart, 2 s of silence at most.', [
    ...['aria2c', '--no-conf', '-q', '-x8', '-s8', '-k1M', '--max-tries=20', '--retry-wait=1', '--timeout=2'],
    ...['--connect-timeout=2', '--file-allocation=none', '--ca-certificate={cacert}', '-d', '{folder}', '-o', '{name}'],
    '{url}',
  ]),
  script('fetch', 'fetch', 'The built-in fetch, once.', []),
  script('undici', 'undici RetryAgent', `RetryAgent: ${tries}.`, ['undici'], 'undici-retry-agent'),
  script('got', 'got', `A stream with retries: ${tries}.`, ['got']),
  script('axios', 'axios + axios-retry', `A stream: ${tries}.`, ['axios', 'axios-retry'], 'axios-retry'),
  script('ky', 'ky', `Its body as a stream: ${tries}.`, ['ky']),
];

function program(name: string, title: string, how: string, command: readonly string[]): Preset {
  return { name, title, how, command: () => command, versionCommand: () => [command[0]!, '--version'] };
}

function script(name: string, title: string, how: string, packages: readonly string[], file = name): Preset {
  return {
    name,
    title,
    how,
    command: (folder) => [
      process.execPath,
      clientScript(file),
      ...packages.map((each) => findPeer(each, folder, name)),
      '{url}',
      '{file}',
    ],
    versionCommand: (folder) => [
      process.execPath,
      clientScript('version'),
      ...packages.map((each) => findPeer(each, folder, name)),
    ],
  };
}

/** Beside this file, with its own ending: a `.ts` in the source and a `.js` in the package. */
function clientScript(name: string): string {
  return fileURLToPath(new URL(`./clients/${name}${extname(import.meta.url)}`, import.meta.url));
}

/** In the user's folder, or beside the lab. */
function findPeer(name: string, folder: string, preset: string): string {
  for (const from of [join(folder, 'here.js'), fileURLToPath(import.meta.url)]) {
    try {
      return pathToFileURL(createRequire(from).resolve(name)).href;
    } catch {
      // Not from here.
    }
  }
  throw new MissingPeerError(
    `the preset ${preset} needs the package ${name}, which is not installed here: npm i ${name}`,
  );
}
