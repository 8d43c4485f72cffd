/** Flags, variables and defaults resolved into settings: everything that can be wrong is found here, before anything happens. */
import { readFileSync } from 'node:fs';
import { basename, isAbsolute, join, relative, resolve } from 'node:path';
import { ConfigError, checkOption, redactUrl, show } from '../core/index.ts';
import {
  checkHeader,
  clientOptionsForDownload,
  DEFAULT_JOBS,
  findTwice,
  parseChecksumSource,
} from '../download/index.ts';
import { type ClientOptions, optionsFromValues, parseOption, variableOf } from '../http/index.ts';
import { fileNameOf } from './file-name.ts';
import { isFolder } from './folder.ts';
import { type ExtractPlan, resolveExtract } from './get-extract-settings.ts';
import type { GetFlags } from './get-flags.ts';
import type { ListEntry } from './get-list.ts';
import { resolveTransfer, type TransferOptions } from './get-transfer-settings.ts';
import { loginFromNetrc } from './netrc.ts';
import { keyOf } from './option-flags.ts';

export interface Job {
  readonly url: string;
  /** Undefined: stdout. */
  readonly target: string | undefined;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly note: string | undefined;
  /** Of a list's entry. */
  readonly entry?: Pick<ListEntry, 'place' | 'checksum' | 'size' | 'mirrors'> | undefined;
}

export interface GetSettings {
  readonly jobs: readonly Job[];
  /** Several, or from a list: they run at the same time, so many of them. */
  readonly batch: { readonly jobs: number } | undefined;
  /** Created when the first job starts. */
  readonly folder: string | undefined;
  readonly checksum: string | undefined;
  readonly client: ClientOptions;
  readonly transfer: TransferOptions;
  readonly force: boolean;
  /** The target of the one job is then the folder. */
  readonly extract: ExtractPlan | undefined;
}

/** @throws ConfigError naming the flag or variable, what must hold and what came */
export function resolveGet(
  texts: readonly string[],
  flags: GetFlags,
  isGiven: (key: string) => boolean,
  list: readonly ListEntry[] = [],
): GetSettings {
  const own = texts.map(parseUrl);
  const urls = [...own, ...list.map(({ url }) => new URL(url))];
  if (urls.length === 0) throw new ConfigError('Cannot download as there must be a URL or -i LIST: received neither');
  const isBatch = urls.length > 1 || flags.input !== undefined;
  checkTogether(urls, flags, isBatch);
  const extract = resolveExtract(urls, flags);
  if (flags.checksum !== undefined) parseChecksumSource(flags.checksum, 'use --checksum');
  const folder = folderFor(isBatch, flags.output);
  const headers = headersFrom(flags);
  const jobs = [
    ...own.map((url) => jobFor(url, flags, folder, headers)),
    ...list.map((entry) => jobForEntry(entry, flags, folder, headers)),
  ];
  checkDistinct(jobs);
  const client = clientOptionsFrom(flags, isGiven);
  return {
    jobs,
    batch: isBatch ? { jobs: resolveJobs(flags) } : undefined,
    folder,
    checksum: flags.checksum,
    client,
    transfer: resolveTransfer(urls, flags, client),
    force: flags.force === true,
    extract,
  };
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url;
  throw new ConfigError(
    `Cannot download as the URL must be an absolute http or https URL: received ${show(redactUrl(text))}`,
  );
}

function checkTogether(urls: readonly URL[], { output, checksum, extract }: GetFlags, isBatch: boolean): void {
  const received = `received ${urls.length} URLs`;
  if (isBatch && extract !== undefined)
    throw new ConfigError(`Cannot use --extract as there must be one URL: ${received}`);
  if (isBatch && output === '-') throw new ConfigError(`Cannot use -o - as there must be one URL: ${received}`);
  if (isBatch && checksum !== undefined)
    throw new ConfigError(`Cannot use --checksum as there must be one URL: ${received}`);
  if (output === '') throw new ConfigError('Cannot use -o as it must be a path: received ""');
}

function folderFor(isBatch: boolean, output: string | undefined): string | undefined {
  if (output === undefined || output === '-') return undefined;
  return isBatch || /[/\\]$/.test(output) || isFolder(output) ? output : undefined;
}

function jobFor(url: URL, flags: GetFlags, folder: string | undefined, headers: Job['headers']): Job {
  const { output, extract } = flags;
  const own = { url: url.href, headers: withLogin(headers, url, flags) };
  if (extract !== undefined) return { ...own, target: extract, note: undefined };
  if (output === '-') return { ...own, target: undefined, note: undefined };
  if (output !== undefined && folder === undefined) return { ...own, target: output, note: undefined };
  const { name, isFromUrl } = fileNameOf(url);
  const note = isFromUrl ? undefined : `the URL ends without a usable file name: saving as ${name}`;
  return { ...own, target: join(folder ?? '.', name), note };
}

function jobForEntry(entry: ListEntry, flags: GetFlags, folder: string | undefined, headers: Job['headers']): Job {
  const url = new URL(entry.url);
  const { output, place, headers: own = {} } = entry;
  const named = output === undefined ? jobFor(url, flags, folder, headers) : undefined;
  const target = named?.target ?? targetIn(folder, output!, place);
  const lower = Object.fromEntries(Object.entries(own).map(([name, value]) => [name.toLowerCase(), value]));
  return {
    url: url.href,
    target,
    headers: withLogin({ ...headers, ...lower }, url, flags),
    note: named?.note,
    entry,
  };
}

/** With -o a list stays in its folder: it may have been made by somebody else. */
function targetIn(folder: string | undefined, output: string, place: string): string {
  if (folder === undefined) return output;
  const inside = relative(folder, resolve(folder, output));
  if (!isAbsolute(output) && inside !== '' && inside.split(/[/\\]/)[0] !== '..') return join(folder, output);
  throw new ConfigError(
    `Cannot download as ${place}: output must be inside of ${folder} (-o): received ${show(output)}`,
  );
}

function checkDistinct(jobs: readonly Job[]): void {
  const targets = jobs.map(({ target }) => target).filter((target) => target !== undefined);
  const twice = findTwice(targets.map((target) => resolve(target)));
  if (twice === undefined) return;
  const [first, second] = twice.map((index) => jobs[index]!);
  const name = basename(first!.target!);
  if (first!.entry === undefined || second!.entry === undefined) {
    throw new ConfigError(`Cannot download as file names must differ: received two URLs for ${name}`);
  }
  throw new ConfigError(
    `Cannot download as ${second!.entry.place}: output must differ from that of ${first!.entry.place}: received ${show(first!.target)} for both`,
  );
}

function resolveJobs({ jobs }: GetFlags): number {
  const variable = process.env.REKNIT_JOBS;
  const [name, text] = jobs === undefined ? ['REKNIT_JOBS', variable] : ['--jobs', jobs];
  if (text === undefined || text === '') return DEFAULT_JOBS;
  const value = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (value >= 1 && value <= 256) return value;
  throw new ConfigError(`Cannot use ${name} as it must be a whole number from 1 to 256: received ${show(text)}`);
}

function headersFrom({ header = [] }: GetFlags): Job['headers'] {
  const headers: Record<string, string[]> = {};
  for (const text of header) {
    const colon = text.indexOf(':');
    if (colon < 1)
      throw new ConfigError(`Cannot use -H as it must be 'Name: value': received ${show(safeHeader(text))}`);
    const name = text.slice(0, colon).trim();
    const value = text.slice(colon + 1).trim();
    checkHeader(name, value, 'use -H');
    const key = name.toLowerCase();
    headers[key] = [...(headers[key] ?? []), value];
  }
  return headers;
}

/** A header without its colon may be a secret whose name was forgotten. */
function safeHeader(text: string): string {
  return text.length > 20 ? `${text.slice(0, 8)}…` : text;
}

function withLogin(headers: Job['headers'], url: URL, { user, netrc }: GetFlags): Job['headers'] {
  if (user !== undefined && user.indexOf(':') < 1) {
    throw new ConfigError('Cannot use -u as it must be USER:PASSWORD: received no colon between them');
  }
  const login = user ?? (netrc === true && url.username === '' ? loginFromNetrc(url.hostname, process.env) : undefined);
  if (login === undefined || headers.authorization !== undefined) return headers;
  return { ...headers, authorization: `Basic ${Buffer.from(login).toString('base64')}` };
}

function clientOptionsFrom(flags: GetFlags, isGiven: (key: string) => boolean): ClientOptions {
  const byRow = optionsFromValues((row) => {
    const flag = row.unit === 'boolean' && row.fallback === true ? `--no-${row.flag}` : `--${row.flag}`;
    const given = isGiven(keyOf(row)) ? flags[keyOf(row)] : undefined;
    const variable = process.env[variableOf(row)];
    const [name, text] = given === undefined ? [variableOf(row), variable] : [flag, given];
    if (text === undefined || text === '') return undefined;
    const value = typeof text === 'boolean' ? text : parseOption(row, String(text), name);
    checkOption(row, value, `use ${name}`);
    return value;
  });
  const options = clientOptionsForDownload(boundHeadersByStall(byRow));
  return {
    ...options,
    ...(flags.unixSocket === undefined ? {} : { socketPath: flags.unixSocket }),
    ...(flags.proxy === undefined ? {} : { proxy: flags.proxy === 'none' ? (false as const) : flags.proxy }),
    ...tlsFrom(flags),
  };
}

/** Who says how long silence may last means the silence before the headers, too. */
function boundHeadersByStall(options: ClientOptions): ClientOptions {
  const { stallMs, headersMs } = options.timeouts ?? {};
  if (stallMs === undefined || headersMs !== undefined) return options;
  return { ...options, timeouts: { ...options.timeouts, headersMs: stallMs } };
}

function tlsFrom({ cacert, cert, key }: GetFlags): Pick<ClientOptions, 'tls'> {
  const files = { ca: readPem('--cacert', cacert), cert: readPem('--cert', cert), key: readPem('--key', key) };
  if ((cert === undefined) !== (key === undefined)) {
    throw new ConfigError('Cannot use --cert and --key as they must come together: received one of them');
  }
  return cacert === undefined && cert === undefined ? {} : { tls: files };
}

function readPem(flag: string, path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  const text = readText(path);
  if (text?.includes('-----BEGIN ') === true) return text;
  throw new ConfigError(`Cannot use ${flag} as it must be a readable PEM file: received ${show(path)}`);
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
