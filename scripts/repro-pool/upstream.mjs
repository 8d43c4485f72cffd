// An upstream in a process of its own: `node upstream.mjs '{"host","port","backlog","blockMs","refuseEvery"}'`.
// It answers `/proof/ID` with the proof of ID, and tells how many requests it has seen when its input ends.
import { createServer } from 'node:http';

const {
  host = '127.0.0.1',
  port = 0,
  backlog = 511,
  blockMs = 0,
  refuseEvery = 0,
} = JSON.parse(process.argv[2] ?? '{}');
const cell = new Int32Array(new SharedArrayBuffer(4));
let seen = 0;

const server = createServer((request, response) => {
  seen += 1;
  // As a thread that computes does: nobody is accepted meanwhile.
  if (blockMs > 0) Atomics.wait(cell, 0, 0, blockMs);
  if (refuseEvery > 0 && seen % refuseEvery === 0) {
    response.writeHead(503).end();
    return;
  }
  response.end(`proof of ${request.url.split('/').at(-1)}\n`);
});
server.keepAliveTimeout = 60_000;
server.listen({ host, port, backlog }, () => console.log(JSON.stringify({ port: server.address().port })));
process.stdin.resume().on('end', () => {
  console.log(JSON.stringify({ seen }));
  process.exit();
});
