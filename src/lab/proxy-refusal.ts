import { STATUS_CODES } from 'node:http';
import type { ProxyFault } from './proxy-plan.ts';

/** The bytes of a proxy's own answer. */
export function proxyRefusal({ status, headers = {}, bodyText }: Extract<ProxyFault, { kind: 'status' }>): Buffer {
  const body = Buffer.from(bodyText ?? `<html><title>ERROR</title><p>The proxy says ${status}.</p></html>\n`);
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Unknown'}`,
    'Via: 1.1 lab (squid-like)',
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    'Content-Type: text/html',
    `Content-Length: ${body.length}`,
  ];
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), body]);
}
