/** Flags resolved into options: everything that can be wrong is found here, before anything is sent. */
import { readFileSync } from 'node:fs';
import { ConfigError, parseDuration, parseSize, show } from '../core/index.ts';
import type { DiagnoseOptions } from '../diagnose/index.ts';
import type { DiagnoseFlags } from './diagnose-flags.ts';

/** @throws ConfigError naming the flag, what must hold and what came */
export function resolveDiagnosis(flags: DiagnoseFlags): DiagnoseOptions {
  const { request, data, proxy, allowWrites, whole, otherClients, resolver } = flags;
  return {
    method: request ?? (data === undefined ? 'GET' : 'POST'),
    headers: headersFrom(flags),
    ...(data === undefined ? {} : { body: bodyFrom(data) }),
    ...(proxy === undefined ? {} : { proxy: proxy === 'none' ? (false as const) : proxy }),
    ...tlsFrom(flags),
    ...(flags.maxRequests === undefined
      ? {}
      : { maxRequests: read('--max-requests', flags.maxRequests, parseCount, 'a whole number from 1 to 10000') }),
    ...(flags.maxBytes === undefined
      ? {}
      : {
          maxBytes: read('--max-bytes', flags.maxBytes, positive(parseSize), 'a size, for instance 65536, 64KiB, 10MB'),
        }),
    ...(flags.maxTime === undefined
      ? {}
      : {
          maxMs: read(
            '--max-time',
            flags.maxTime,
            positive(parseDuration),
            'a duration with its unit, for instance 500ms, 30s, 5m',
          ),
        }),
    allowWrites: allowWrites === true,
    whole: whole === true,
    otherClients: otherClients !== false,
    ...(resolver === undefined ? {} : { resolvers: resolver.map(checkResolver) }),
  };
}

function read(flag: string, text: string, parse: (text: string) => number | undefined, must: string): number {
  const value = parse(text.trim());
  if (value !== undefined) return value;
  throw new ConfigError(`Cannot use ${flag} as it must be ${must}: received ${show(text)}`);
}

function parseCount(text: string): number | undefined {
  return /^[1-9]\d{0,4}$/.test(text) && Number(text) <= 10_000 ? Number(text) : undefined;
}

function positive(parse: (text: string) => number | undefined): (text: string) => number | undefined {
  return (text) => parse(text) || undefined;
}

function headersFrom({ header = [], user }: DiagnoseFlags): Readonly<Record<string, readonly string[]>> {
  const headers: Record<string, string[]> = {};
  for (const text of header) {
    const colon = text.indexOf(':');
    // A header without its colon may be a secret whose name was forgotten.
    if (colon < 1) throw new ConfigError("Cannot use -H as it must be 'Name: value': received no colon behind a name");
    const name = text.slice(0, colon).trim();
    headers[name] = [...(headers[name] ?? []), text.slice(colon + 1).trim()];
  }
  if (user === undefined) return headers;
  if (user.indexOf(':') < 1)
    throw new ConfigError('Cannot use -u as it must be USER:PASSWORD: received no colon between them');
  if (Object.keys(headers).some((name) => name.toLowerCase() === 'authorization')) return headers;
  return { ...headers, Authorization: [`Basic ${Buffer.from(user).toString('base64')}`] };
}

function bodyFrom(data: string): Uint8Array {
  return data.startsWith('@') ? readFile('--data', data.slice(1)) : Buffer.from(data);
}

function tlsFrom({ cacert, cert, key }: DiagnoseFlags): Pick<DiagnoseOptions, 'tls'> {
  if ((cert === undefined) !== (key === undefined)) {
    throw new ConfigError('Cannot use --cert and --key as they must come together: received one of them');
  }
  if (cacert === undefined && cert === undefined) return {};
  return {
    tls: {
      ...(cacert === undefined ? {} : { ca: readPem('--cacert', cacert) }),
      ...(cert === undefined ? {} : { cert: readPem('--cert', cert), key: readPem('--key', key!) }),
    },
  };
}

function readPem(flag: string, path: string): string {
  const text = readFile(flag, path).toString('utf8');
  if (text.includes('-----BEGIN ')) return text;
  throw new ConfigError(`Cannot use ${flag} as it must be a PEM file: received ${show(path)}`);
}

function readFile(flag: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch {
    throw new ConfigError(`Cannot use ${flag} as its file must be readable: received ${show(path)}`);
  }
}

function checkResolver(text: string): string {
  if (/^(?:\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?|\[[0-9a-f:.]+\](?::\d+)?|[0-9a-f:]+:[0-9a-f:.]+)$/i.test(text)) return text;
  throw new ConfigError(
    `Cannot use --resolver as it must be an IP address, with or without a port: received ${show(text)}`,
  );
}
