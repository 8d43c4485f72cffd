/**
 * undici 7.30 takes the process down with an AssertionError when a connection ends while a body on it is paused and the
 * connection was not to be kept: no length, or `Connection: close` (nodejs/undici#5360). Found by `reknit get`, whose
 * reader waits for the disk. An error in a socket's handler cannot be caught, so the reader runs in a process of its own.
 */
import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

const program = `
import { createServer } from 'node:net';
import { createClient } from 'reknit';
const bytes = 40_000;
const head = process.argv[1] === 'length' ? 'Content-Length: ' + bytes + '\\r\\nConnection: close\\r\\n' : 'Connection: close\\r\\n';
const server = createServer((socket) => {
  socket.on('error', () => {});
  socket.once('data', () => socket.end('HTTP/1.1 200 OK\\r\\n' + head + '\\r\\n' + 'x'.repeat(bytes)));
  socket.once('close', () => server.emit('gone'));
});
server.listen(0, '127.0.0.1', async () => {
  const client = createClient();
  const gone = new Promise((resolve) => server.once('gone', resolve));
  const { body } = await client.request('http://127.0.0.1:' + server.address().port + '/');
  // Nobody reads until the connection has ended.
  await gone;
  await new Promise((resolve) => setImmediate(resolve));
  let read = 0;
  for await (const chunk of body) read += chunk.length;
  console.log(read);
  await client.destroy();
  server.close();
});
`;

for (const framing of ['length', 'close']) {
  test(`a connection that ends under a paused reader (${framing}) gives the whole body, and the process lives`, () => {
    const args = ['--input-type=module', '-e', program, framing];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 20_000 });
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '40000\n', stderr: '' });
  });
}
