// The other side: a registry of fifty packages that throttles and answers with nothing, behind a firewall that cuts
// connections and allows eight of them.
import { createHash } from 'node:crypto';
import { connect, createServer } from 'node:net';
import { gzipSync } from 'node:zlib';
import { startLab } from 'reknit/lab';
import { pack } from 'tar-stream';

const every = (count, offset) => Array.from({ length: 400 }, (_, i) => i * count + offset);

/** By the number of the request for one resource: with more installers it lasts as long. A pause holds all of them. */
const trouble = (n) => [
  ...(n % 6 === 0 ? [{ on: 1 + (n % 4), do: { kind: 'status', status: 429, retryAfter: '1' } }] : []),
  { on: every(11, 1 + (n % 7)), do: { kind: 'empty-200' } },
  { on: every(5, 1 + (n % 5)), do: { kind: 'cut', by: 'rst', at: 'body', atRandomByte: { min: 0, max: 60_000 } } },
];

export async function startRegistry({ packages = 50, allowedConnections = 8 } = {}) {
  const lab = await startLab();
  const firewall = await startFirewall(new URL(lab.origin).port, allowedConnections);
  const runs = [];
  const serve = (name, resource, rules) => {
    const run = lab.play({ name, seed: runs.length + 1, resource, requests: rules });
    runs.push(run);
    return run.url.replace(lab.origin, firewall.origin);
  };
  const list = [];
  for (let n = 0; n < packages; n += 1) {
    const archive = await makeArchive(n);
    const sha256 = createHash('sha256').update(archive).digest('hex');
    const type = { contentType: 'application/gzip' };
    const url = serve('archive', { bodyBase64: archive.toString('base64'), ...type }, trouble(n));
    const metadata = JSON.stringify({ name: nameOf(n), archive: url, sha256 });
    list.push({
      name: nameOf(n),
      metadata: serve('metadata', { bodyText: metadata, contentType: 'application/json' }, trouble(n + 3)),
    });
  }
  const index = JSON.stringify({ packages: list });
  const indexUrl = serve('index', { bodyText: index, contentType: 'application/json' }, trouble(0));
  return {
    indexUrl,
    firewall,
    get requests() {
      return runs.flatMap(({ record }) => record.requests);
    },
    close: async () => {
      await firewall.close();
      await lab.close();
    },
  };
}

const nameOf = (n) => `package-${String(n).padStart(2, '0')}`;

/** Some hundred KiB that do not compress well. */
async function makeArchive(n) {
  const tar = pack();
  tar.entry({ name: 'package.json' }, JSON.stringify({ name: nameOf(n), version: '1.0.0' }));
  for (let file = 0; file < 3; file += 1) tar.entry({ name: `lib/${file}.bin` }, noise(`${n}/${file}`, 40_000));
  tar.finalize();
  const chunks = [];
  for await (const chunk of tar) chunks.push(chunk);
  return gzipSync(Buffer.concat(chunks), { level: 1 });
}

function noise(seed, bytes) {
  const blocks = Array.from({ length: Math.ceil(bytes / 32) }, (_, i) =>
    createHash('sha256').update(`${seed}/${i}`).digest(),
  );
  return Buffer.concat(blocks).subarray(0, bytes);
}

/** Passes bytes on. One connection too many is reset, and so is every ninth one, somewhere in the middle. */
async function startFirewall(port, allowed) {
  const seen = { connections: 0, refused: 0, cut: 0, open: 0, mostOpen: 0 };
  const sockets = new Set();
  const server = createServer({ noDelay: true }, (client) => {
    seen.connections += 1;
    client.on('error', () => {});
    if (seen.open >= allowed) {
      seen.refused += 1;
      client.resetAndDestroy();
      return;
    }
    seen.open += 1;
    seen.mostOpen = Math.max(seen.mostOpen, seen.open);
    const origin = connect({ port, host: '127.0.0.1', noDelay: true });
    let cutAfter = seen.connections % 9 === 0 ? (seen.connections * 7_919) % 150_000 : Number.POSITIVE_INFINITY;
    origin.on('data', (chunk) => {
      cutAfter -= chunk.length;
      if (cutAfter >= 0) return;
      seen.cut += 1;
      client.resetAndDestroy();
    });
    origin.on('error', () => client.destroy());
    sockets.add(client).add(origin);
    client.on('close', () => {
      seen.open -= 1;
      origin.destroy();
      sockets.delete(client);
      sockets.delete(origin);
    });
    origin.on('close', () => client.end());
    client.pipe(origin).pipe(client);
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  return {
    seen,
    origin: `http://127.0.0.1:${server.address().port}`,
    close: async () => {
      const closed = new Promise((done) => server.close(done));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
