/** What a request asks for: its host and path, or nothing where no upstream could be asked for that. */
import type { IncomingMessage } from 'node:http';

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

/** `/a/../b` means different things to different servers: a route could be left by it. */
function hasDotSegment(path: string): boolean {
  if (!path.includes('.') && !path.includes('%')) return false;
  return /(?:^|[/\\])(?:\.|%2e){1,2}(?:[/\\;]|$)/i.test(path.replace(/%2f|%5c/gi, '/'));
}
