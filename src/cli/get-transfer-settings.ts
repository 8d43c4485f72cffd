/** How `get` fetches one file: mirrors, connections, rate, proof. Checked before anything happens. */
import { ConfigError, parseSize, redactUrl, show } from '../core/index.ts';
import { type DownloadOptions, defaultStateFolder } from '../download/index.ts';
import type { ClientOptions } from '../http/index.ts';
import type { GetFlags } from './get-flags.ts';

export type TransferOptions = Pick<
  DownloadOptions,
  'mirrors' | 'requireProof' | 'initialConnections' | 'maxConnections' | 'limitRate' | 'stateFolder'
>;

/** @throws ConfigError naming the flag or variable, what must hold and what came */
export function resolveTransfer(urls: readonly URL[], flags: GetFlags, client: ClientOptions): TransferOptions {
  const { mirror = [], requireProof, state } = flags;
  if (mirror.length > 0 && urls.length > 1) {
    throw new ConfigError(`Cannot use --mirror as there must be one URL: received ${urls.length} URLs`);
  }
  const connections = read('connections', flags, countIn, 'a whole number from 1 on');
  const limitRate = read('limitRate', flags, rateIn, 'bytes per second, for instance 500KiB');
  const maxConnections = client.connections?.maxPerOrigin;
  return {
    mirrors: mirror.map(checkMirror),
    requireProof: requireProof ?? isSet(process.env.REKNIT_REQUIRE_PROOF),
    ...(connections === undefined ? {} : { initialConnections: connections }),
    ...(maxConnections === undefined ? {} : { maxConnections }),
    ...(limitRate === undefined ? {} : { limitRate }),
    ...(state === false ? {} : { stateFolder: defaultStateFolder() }),
  };
}

function checkMirror(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url;
  throw new ConfigError(
    `Cannot use --mirror as it must be an absolute http or https URL: received ${show(redactUrl(text))}`,
  );
}

type NumberFlag = 'connections' | 'limitRate';

const names: Readonly<Record<NumberFlag, readonly [flag: string, variable: string]>> = {
  connections: ['--connections', 'REKNIT_CONNECTIONS'],
  limitRate: ['--limit-rate', 'REKNIT_LIMIT_RATE'],
};

function read(
  name: NumberFlag,
  flags: GetFlags,
  parse: (text: string) => number | undefined,
  form: string,
): number | undefined {
  const [flag, variable] = names[name];
  const text = flags[name] ?? process.env[variable];
  if (text === undefined || text === '') return undefined;
  const value = parse(text.trim());
  if (value !== undefined && value >= 1) return value;
  const from = flags[name] === undefined ? variable : flag;
  throw new ConfigError(`Cannot use ${from} as it must be ${form}: received ${show(text)}`);
}

function countIn(text: string): number | undefined {
  return /^\d{1,4}$/.test(text) ? Number(text) : undefined;
}

function rateIn(text: string): number | undefined {
  return parseSize(text.replace(/\/s$/, ''));
}

function isSet(text: string | undefined): boolean {
  return text !== undefined && /^(1|true|yes|on)$/i.test(text);
}
