/** What a request asks for: its host and path, or nothing where no upstream could be asked for that. */
import type { IncomingMessage } from 'node:http';
import { type Refusal, refuse } from './refusal.ts';

export interface Target {
  /** In lower case, without a port; may be empty. */
  readonly host: string;
  readonly path: string;
  /** Without the question mark. */
  readonly query: string;
  /** Path and query. */
  readonly target: string;
}

export function parseTarget({ url = '', headers }: IncomingMessage): Target | undefined {
  const absolute = url.startsWith('/') ? null : /^https?:\/\/([^/?#]*)(.*)$/i.exec(url);
  const authority = absolute === null ? (headers.host ?? '') : absolute[1]!;
  const rest = absolute === null ? url : absolute[2]!;
  const target = rest === '' ? '/' : rest;
  if (!target.startsWith('/') || /[^\x21-\x7e\x80-\xff]/.test(target) || target.includes('#')) return undefined;
  const mark = target.indexOf('?');
  const path = mark === -1 ? target : target.slice(0, mark);
  if (hasDotSegment(path)) return undefined;
  const query = mark === -1 ? '' : target.slice(mark + 1);
  const host = (authority.includes(':') ? authority.replace(/:\d*$/, '') : authority).toLowerCase();
  return { host, path, query, target };
}

/**
 * What the platform's parser lets through and another server could read differently: two hosts, a host that is none (RFC
 * 9112, 3.2), chunks in HTTP/1.0 (6.1), and versions that are not of this protocol.
 */
export function faultOf(request: IncomingMessage): Refusal | undefined {
  const { headers, rawHeaders, httpVersionMajor, httpVersionMinor } = request;
  if (httpVersionMajor !== 1) return refuse(505, 'http-version', 'only HTTP/1.0 and HTTP/1.1 are spoken here');
  if (httpVersionMinor === 0 && headers['transfer-encoding'] !== undefined)
    return refuse(400, 'bad-request', 'HTTP/1.0 knows no Transfer-Encoding');
  if (headers.host !== undefined && notOfAHost.test(headers.host))
    return refuse(400, 'bad-request', 'the Host field is no host');
  return hasTwoHosts(rawHeaders) ? refuse(400, 'bad-request', 'there is more than one Host field') : undefined;
}

const notOfAHost = /[^\w.~!$&'()*+,;=:[\]%-]/;

function hasTwoHosts(rawHeaders: readonly string[]): boolean {
  let count = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!;
    if (name.length === 4 && name.toLowerCase() === 'host') count += 1;
  }
  return count > 1;
}

/** `/a/../b` means different things to different servers: a route could be left by it. */
function hasDotSegment(path: string): boolean {
  if (!path.includes('.') && !path.includes('%')) return false;
  return /(?:^|[/\\])(?:\.|%2e){1,2}(?:[/\\;]|$)/i.test(path.replace(/%2f|%5c/gi, '/'));
}
