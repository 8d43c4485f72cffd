/** The clients that are known by name: those of the field, and reknit itself. */
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Preset, presets } from '../lab/index.ts';

const here = (name: string) => fileURLToPath(new URL(`./${name}${extname(import.meta.url)}`, import.meta.url));

/** The same patience as the presets of the others have. */
const patience = [
  ...['--max-attempts', '20', '--retry-delay', '100ms', '--throttle-delay', '100ms', '--max-delay', '1s'],
  ...['--connect-timeout', '2s', '--headers-timeout', '2s', '--stall-timeout', '2s', '--http2'],
];

const get = [process.execPath, here('main'), 'get', '--quiet', ...patience, '--cacert', '{cacert}'];
const version = () => [process.execPath, here('main'), '--version'];
const how = '20 attempts without progress, 2 s of silence at most, waits of 0.1 to 1 s';

const own: readonly Preset[] = [
  {
    name: 'reknit-get',
    title: 'reknit get',
    how: `Told the URL only: ${how}.`,
    command: () => [...get, '-o', '{file}', '{url}'],
    versionCommand: version,
  },
  {
    name: 'reknit-get-checksum',
    title: 'reknit get --checksum',
    how: 'The same with the digest of the newest version.',
    command: () => [...get, '--checksum', 'sha256:{sha256}', '-o', '{file}', '{url}'],
    versionCommand: version,
  },
  {
    name: 'reknit-fetch',
    title: 'reknit client.fetch',
    how: `Its body as a stream into a file: ${how}.`,
    command: () => [process.execPath, here('conformance-client-fetch'), '{url}', '{file}'],
    versionCommand: version,
  },
];

export const allPresets: readonly Preset[] = [...own, ...presets];
