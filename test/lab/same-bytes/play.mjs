/**
 * Plays scenarios to a client of raw sockets that always asks the same, and tells what came on each connection. Plain JavaScript,
 * so that any Node.js can run it: `node play.mjs PATH-OF-THE-LAB` prints the digests as JSON.
 */
import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { pathToFileURL } from 'node:url';

const sizeBytes = 262_144;
const ranges = [undefined, undefined, 'bytes=70000-', 'bytes=70000-'];
const stallMs = 1_200;
const playedAtOnce = 12;

/** What takes its time, ends by a time of ours, or shows a port that is another one every time. */
const left = new Set([
  'refused',
  'refused2s',
  'backlog-overflow',
  'trickle',
  'trickle-in-headers',
  '503-large-page',
  'redirect-to-other-origin',
  // The server's own alert is encrypted, and how far the client read before is a race.
  'tls-alert-in-body',
  'tls-plain-alert-in-body',
  'tls-garbage-record',
]);

export async function digestAll(labModule) {
  const names = labModule.catalogue
    .filter(({ scenario, needs }) => needs !== 'proxy' && !left.has(scenario.name))
    .map(({ scenario }) => scenario.name);
  const digests = {};
  const queue = [...names];
  const workers = Array.from({ length: playedAtOnce }, async () => {
    for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
      digests[name] = await digestOf(labModule, name);
    }
  });
  await Promise.all(workers);
  return Object.fromEntries(names.map((name) => [name, digests[name]]));
}

async function digestOf({ catalogue, scenarioNamed, startLab }, name) {
  const { needs } = catalogue.find(({ scenario }) => scenario.name === name);
  const isHttp2 = needs === 'http2';
  const lab = await startLab({ tls: needs === 'tls', sparePorts: 1, nowMs: () => Date.UTC(2026, 0, 1) });
  const { protocol: _protocol, ...scenario } = scenarioNamed(name, { sizeBytes, seed: 42 });
  const run = lab.play(isHttp2 ? { ...scenario, protocol: 'h2c' } : scenario);
  const digests = [];
  for (const range of ranges) {
    const bytes = await received(run, lab.ca, needs, range);
    digests.push(`${bytes.length} ${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}`);
  }
  await lab.close();
  return digests;
}

/** All bytes of one connection with one request, above TLS. */
async function received(run, ca, needs, range) {
  const { port, pathname, search } = new URL(run.url);
  const at = { host: '127.0.0.1', port: Number(port) };
  const socket = needs === 'tls' ? connectTls({ ...at, ca, servername: 'localhost' }) : connect(at);
  const parts = [];
  socket.on('data', (bytes) => parts.push(bytes));
  socket.on('error', () => {});
  socket.setTimeout(stallMs, () => socket.destroy());
  const path = `${pathname}${search}`;
  socket.write(needs === 'http2' ? http2Request(path, range) : http1Request(path, range));
  // An answer that is over needs no more patience; a connection of HTTP/2 would stay.
  run.untilAnswered(run.requestCount + 1).then(
    () => socket.end(),
    () => {},
  );
  await new Promise((resolve) => socket.on('close', resolve));
  return Buffer.concat(parts);
}

function http1Request(path, range) {
  const more = range === undefined ? '' : `Range: ${range}\r\n`;
  return `GET ${path} HTTP/1.1\r\nHost: lab\r\nAccept-Encoding: gzip\r\nConnection: close\r\n${more}\r\n`;
}

/** With windows as wide as can be, so that frames do not depend on who reads when. */
function http2Request(path, range) {
  const fields = { ':method': 'GET', ':scheme': 'http', ':path': path, ':authority': 'lab', ...(range && { range }) };
  const text = (value) => Buffer.concat([Buffer.from([value.length]), Buffer.from(value)]);
  const block = Object.entries(fields).flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]);
  return Buffer.concat([
    Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    Buffer.from('00000604000000000000047fffffff', 'hex'),
    Buffer.from('0000040800000000007fff0000', 'hex'),
    Buffer.from([0, 0, Buffer.concat(block).length, 1, 5, 0, 0, 0, 1]),
    ...block,
    // A ping, and the last word.
    Buffer.from('0000080700000000000000000000000000', 'hex'),
  ]);
}

const [, script, labPath] = process.argv;
if (labPath !== undefined && import.meta.url === pathToFileURL(script).href) {
  process.stdout.write(JSON.stringify(await digestAll(await import(pathToFileURL(labPath).href))));
}
