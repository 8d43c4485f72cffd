import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { startLab } from '../../src/lab/index.ts';
import { requestText } from './raw-client.ts';

test('a client that reads late still gets every byte before the reset', async () => {
  await using lab = await startLab();
  const atByte = 6_000_000;
  const run = lab.play({
    name: 'late',
    resource: { sizeBytes: 10_000_000 },
    requests: [{ on: 1, do: { kind: 'cut', by: 'rst', at: 'body', atByte } }],
  });
  const { port } = new URL(run.url);
  const socket = connect(Number(port), '127.0.0.1');
  socket.pause();
  socket.write(requestText(run.url));
  let receivedBytes = 0;
  let code: string | undefined;
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
  socket.on('error', (error: NodeJS.ErrnoException) => {
    code = error.code;
  });
  await run.until(({ requests }) => (requests[0]?.answered.bodyBytesSent ?? 0) > 500_000);
  const text: Buffer[] = [];
  socket.on('data', (bytes) => {
    text.push(bytes);
    receivedBytes += bytes.length;
    socket.pause();
    setImmediate(() => setImmediate(() => socket.resume()));
  });
  socket.resume();
  await closed;
  expect(receivedBytes - Buffer.concat(text).indexOf('\r\n\r\n') - 4).toBe(atByte);
  expect(code).toBe('ECONNRESET');
});
