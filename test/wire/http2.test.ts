/** HTTP/2 on request: node:http2 is the server, since the lab speaks raw HTTP/1.1. */

import { createHash } from 'node:crypto';
import {
  createSecureServer,
  type Http2SecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { TlsOptions } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createClient } from '../../src/http/index.ts';
import { secureContextFor } from '../../src/lab/certificate.ts';
import { startLab } from '../../src/lab/index.ts';
import { quick, sha256 } from './ways.ts';

const content = createHash('sha512').update('seed').digest('hex').repeat(4_000);
const etag = '"v1"';
const seen: { readonly version: string; readonly range: string | undefined }[] = [];
let server: Http2SecureServer;
let origin: string;
let ca: string;

/** `/cut` resets its first stream halfway, `/open` has no length. */
function answer(request: Http2ServerRequest, response: Http2ServerResponse): void {
  const range = request.headers.range;
  seen.push({ version: request.httpVersion, range });
  const from = Number(/bytes=(\d+)-/.exec(range ?? '')?.[1] ?? 0);
  const body = Buffer.from(content).subarray(from);
  const headers: Record<string, string> = { etag };
  if (request.url !== '/open') headers['content-length'] = String(body.length);
  if (range !== undefined) headers['content-range'] = `bytes ${from}-${content.length - 1}/${content.length}`;
  response.writeHead(range === undefined ? 200 : 206, headers);
  if (request.url === '/cut' && range === undefined) {
    response.write(body.subarray(0, body.length / 2), () => response.stream.destroy(new Error('cut')));
  } else {
    response.end(body);
  }
}

beforeAll(async () => {
  await using lab = await startLab({ tls: true });
  ca = lab.ca;
  const SNICallback: TlsOptions['SNICallback'] = (_name, done) => done(null, secureContextFor('good'));
  server = createSecureServer({ SNICallback, allowHTTP1: true }, answer);
  server.on('sessionError', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `https://localhost:${(server.address() as AddressInfo).port}`;
});

afterAll(() => new Promise((resolve) => server.close(resolve)));

function created() {
  seen.length = 0;
  return createClient({ ...quick, connections: { http2: true }, tls: { ca } });
}

test('a stream that was reset halfway is resumed', async () => {
  await using client = created();
  const { body, ledger } = await client.request(`${origin}/cut`);
  expect(await body.text()).toBe(content);
  expect(ledger).toMatchObject({ attemptCount: 2, integrity: 'length' });
  expect(seen).toEqual([
    { version: '2.0', range: undefined },
    { version: '2.0', range: `bytes=${content.length / 2}-` },
  ]);
});

test('a body without a length is unverifiable: undici cannot see the frame that would have cut it', async () => {
  await using client = created();
  const { body, ledger } = await client.request(`${origin}/open`);
  expect(await body.text()).toBe(content);
  expect(ledger.integrity).toBe('unverifiable');
});

test('where proof is required, it is asked again over HTTP/1.1, as a hop of the same attempt', async () => {
  await using client = created();
  const { body, ledger } = await client.request(`${origin}/open`, { requireProof: true });
  expect(sha256(new Uint8Array(await body.arrayBuffer()))).toBe(sha256(Buffer.from(content)));
  expect(ledger).toMatchObject({ attemptCount: 1, hopCount: 2, integrity: 'framing' });
  expect(seen.map(({ version }) => version)).toEqual(['2.0', '1.1']);
});

test('without http2 everything goes over HTTP/1.1', async () => {
  seen.length = 0;
  await using client = createClient({ ...quick, tls: { ca } });
  expect(await client.text(`${origin}/whole`)).toBe(content);
  expect(seen[0]!.version).toBe('1.1');
});
