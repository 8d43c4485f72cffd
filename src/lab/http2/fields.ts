/** Between the heads of requests and answers and the fields of HTTP/2 (RFC 9113 8). Pure. */
import type { Answer } from '../answer.ts';
import type { RequestHead } from '../request-reader.ts';
import type { Field } from './hpack.ts';

/** A request's head; `undefined` where a pseudo-header is missing. */
export function headFromFields(fields: readonly Field[]): RequestHead | undefined {
  const headers: Record<string, string> = {};
  const pseudo: Record<string, string> = {};
  for (const [name, value] of fields) {
    const into = name.startsWith(':') ? pseudo : headers;
    const before = into[name];
    // RFC 9113 8.2.3: cookies may come in crumbs.
    into[name] = before === undefined ? value : `${before}${name === 'cookie' ? '; ' : ', '}${value}`;
  }
  const { ':method': method, ':path': path, ':authority': authority } = pseudo;
  if (method === undefined || (path ?? authority) === undefined) return undefined;
  if (authority !== undefined) headers.host ??= authority;
  return { method, target: path ?? authority ?? '', version: 'HTTP/2', headers, rawHeaders: fields.flat() };
}

/** RFC 9113 8.2.2: they speak of a connection of HTTP/1.1. */
const ofConnections = new Set(['connection', 'keep-alive', 'transfer-encoding', 'upgrade', 'proxy-connection']);

export function fieldsOfAnswer(answer: Answer, nowMs: number): readonly Field[] {
  const fields: Field[] = [
    [':status', String(answer.status)],
    ['date', new Date(nowMs).toUTCString()],
  ];
  fields.push(...fieldsOfHeaders(answer.headers));
  const hasLength = answer.framing === 'length' && answer.status !== 204 && answer.status !== 304;
  if (hasLength) fields.push(['content-length', String(answer.declaredBytes ?? answer.body.sizeBytes)]);
  return fields;
}

export function fieldsOfHeaders(headers: readonly Field[]): readonly Field[] {
  return headers
    .map(([name, value]): Field => [name.toLowerCase(), value])
    .filter(([name]) => !ofConnections.has(name));
}
