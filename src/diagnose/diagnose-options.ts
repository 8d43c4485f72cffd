/** The options of a diagnosis, resolved once, at the door. */
import { getServers, lookup as systemLookup } from 'node:dns';
import { validateHeaderName, validateHeaderValue } from 'node:http';
import { ConfigError, redactUrl, show } from '../core/index.ts';
import {
  basicAuthorizationOf,
  createProxyRules,
  type ForwardProxy,
  type ProxyOption,
  type TlsOptions,
} from '../http/index.ts';
import { type Runtime, systemRuntime } from '../runtime/index.ts';
import type { DiagnoseEvent } from './diagnosis.ts';
import type { Subject, Surroundings } from './experiments/course.ts';
import type { HeaderList } from './probe/exchange.ts';
import type { Lookup } from './probe/route.ts';

export interface DiagnoseOptions {
  /** @default 'GET' */
  readonly method?: string | undefined;
  /** Sent with every request; credentials among them are never shown, and do not cross origins. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>> | undefined;
  readonly body?: string | Uint8Array | undefined;
  /** A proxy URL, settings by scheme, or `false` for none. @default what the environment says */
  readonly proxy?: ProxyOption;
  readonly tls?: TlsOptions | undefined;
  /** Requests at most, those of other clients included. @default 60 */
  readonly maxRequests?: number | undefined;
  /** Bytes of bodies at most. @default 134217728 */
  readonly maxBytes?: number | undefined;
  /** Ms at most; then the verdict is made of what is known. @default 60000 */
  readonly maxMs?: number | undefined;
  /** Send a method that changes something (POST, PUT, PATCH, DELETE, …), many times. @default false */
  readonly allowWrites?: boolean | undefined;
  /** Read bodies to their end, as far as the limits let; by default 3 s and 16 MiB of each. @default false */
  readonly whole?: boolean | undefined;
  /** Start curl, and use Node's fetch, for comparison. @default true */
  readonly otherClients?: boolean | undefined;
  /** Name servers to ask one by one, as `Resolver.setServers` takes them. @default those of the system */
  readonly resolvers?: readonly string[] | undefined;
  /** @default dns.lookup */
  readonly lookup?: Lookup | undefined;
  /** Told as it happens. */
  readonly onEvent?: ((event: DiagnoseEvent) => void) | undefined;
  /** Ends everything at once; the diagnosis rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
  /** Clock and timers. @default the system's */
  readonly runtime?: Runtime | undefined;
}

export interface DiagnoseJob {
  readonly subject: Subject;
  readonly surroundings: Surroundings;
  readonly proxy: ForwardProxy | undefined;
  readonly tls: TlsOptions | undefined;
  readonly maxRequests: number;
  readonly maxBytes: number;
  readonly maxMs: number;
  readonly onEvent: ((event: DiagnoseEvent) => void) | undefined;
  readonly signal: AbortSignal | undefined;
  readonly runtime: Runtime;
}

export const DIAGNOSE_DEFAULTS = { maxRequests: 60, maxBytes: 128 * 1_048_576, maxMs: 60_000 } as const;

const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

/** @throws ConfigError naming the option, what must hold and what came */
export function resolveDiagnose(url: string | URL, options: DiagnoseOptions): DiagnoseJob {
  const target = parseTarget(url);
  const method = checkMethod(options.method ?? 'GET');
  const body = options.body === undefined ? undefined : Buffer.from(options.body as Uint8Array);
  const allowWrites = options.allowWrites === true;
  const isSafe = safeMethods.has(method);
  const given = [...headersFrom(options.headers ?? {}), ...loginFrom(target, options.headers ?? {})];
  target.username = '';
  target.password = '';
  target.hash = '';
  return {
    subject: {
      url: target,
      method,
      headers: withUsual(given, body),
      ownHeaders: [...new Set(given.map(([name]) => name.toLowerCase()))],
      body,
      maySend: isSafe || allowWrites,
      mayWrite: !isSafe && allowWrites,
    },
    surroundings: {
      lookup: options.lookup ?? (systemLookup as Lookup),
      resolvers: options.resolvers ?? (options.lookup === undefined ? getServers() : []),
      otherClients: options.otherClients ?? true,
      caText: options.tls?.ca === undefined ? undefined : String(options.tls.ca),
      isWhole: options.whole === true,
    },
    proxy: createProxyRules(options.proxy, process.env)(target),
    tls: options.tls,
    maxRequests: checkCount('maxRequests', options.maxRequests ?? DIAGNOSE_DEFAULTS.maxRequests, 1, 10_000),
    maxBytes: checkCount('maxBytes', options.maxBytes ?? DIAGNOSE_DEFAULTS.maxBytes, 1, Number.MAX_SAFE_INTEGER),
    maxMs: checkCount('maxMs', options.maxMs ?? DIAGNOSE_DEFAULTS.maxMs, 1, 86_400_000),
    onEvent: options.onEvent,
    signal: options.signal,
    runtime: options.runtime ?? systemRuntime,
  };
}

function parseTarget(url: string | URL): URL {
  const text = String(url);
  const target = URL.canParse(text) ? new URL(text) : undefined;
  if (target?.protocol === 'http:' || target?.protocol === 'https:') return target;
  throw new ConfigError(
    `Cannot diagnose as the URL must be an absolute http or https URL: received ${show(redactUrl(text))}`,
  );
}

function checkMethod(method: string): string {
  if (/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,40}$/.test(method) && method.toUpperCase() !== 'CONNECT')
    return method.toUpperCase();
  throw new ConfigError(`Cannot diagnose as the method must be a token other than CONNECT: received ${show(method)}`);
}

function checkCount(name: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new ConfigError(
    `Cannot diagnose as ${name} must be a whole number from ${least} to ${most}: received ${show(value)}`,
  );
}

function headersFrom(headers: Readonly<Record<string, string | readonly string[]>>): HeaderList {
  return Object.entries(headers).flatMap(([name, value]) =>
    [value].flat().map((one): readonly [string, string] => {
      try {
        validateHeaderName(name);
        validateHeaderValue(name, one as string);
      } catch {
        // The value may be a secret: it is not repeated.
        throw new ConfigError(
          `Cannot diagnose as the header ${show(name)} must have a valid name and value: received another one`,
        );
      }
      return [name, one as string];
    }),
  );
}

function loginFrom(url: URL, headers: object): HeaderList {
  const hasOwn = Object.keys(headers).some((name) => name.toLowerCase() === 'authorization');
  if (url.username === '' || hasOwn) return [];
  return [['Authorization', basicAuthorizationOf(url)]];
}

/** What clients add by themselves, unless the caller says otherwise. */
function withUsual(given: HeaderList, body: Buffer | undefined): HeaderList {
  const has = (name: string) => given.some(([key]) => key.toLowerCase() === name);
  const usual: (readonly [string, string])[] = [
    ['User-Agent', 'reknit-diagnose'],
    ['Accept', '*/*'],
    ['Accept-Encoding', 'gzip, deflate, br'],
    ['Connection', 'keep-alive'],
    ...(body === undefined
      ? []
      : ([
          ['Content-Length', String(body.length)],
          ['Content-Type', 'application/x-www-form-urlencoded'],
        ] as const)),
  ];
  const isChunked = has('transfer-encoding');
  return [...given, ...usual.filter(([name]) => !has(name.toLowerCase()) && !(isChunked && name === 'Content-Length'))];
}
