// The origin that everybody is measured against: raw sockets, prepared bytes, no parsing beyond what routing needs.
// `/small` answers 1 KiB, `/big/KIND/BYTES` a body in large writes with back-pressure, `/held/KIND` the first 16 KiB of a
// body whose rest never comes. KIND is the validator that the body has: strong, weak or none.
import { createServer } from 'node:net';

const smallBytes = 1024;
const heldBytes = 16 * 1024;
const block = Buffer.alloc(1024 * 1024, 'reknit');

const validators = {
  strong: ['ETag: "5f3c-a1b2c3d4e5"'],
  weak: ['ETag: W/"5f3c-a1b2c3d4e5"'],
  none: [],
};

function head(lengthBytes, validator) {
  const fields = [
    'HTTP/1.1 200 OK',
    'Date: Thu, 01 Jan 2026 00:00:00 GMT',
    'Server: bench',
    'Content-Type: application/octet-stream',
    'Cache-Control: no-cache',
    'Vary: Accept-Encoding',
    ...validators[validator],
    `Content-Length: ${lengthBytes}`,
    'Connection: keep-alive',
  ];
  return `${fields.join('\r\n')}\r\n\r\n`;
}

const small = Buffer.concat([Buffer.from(head(smallBytes, 'strong')), block.subarray(0, smallBytes)]);

function writeBlocks(socket, leftBytes) {
  let left = leftBytes;
  while (left > 0) {
    const part = left >= block.length ? block : block.subarray(0, left);
    left -= part.length;
    if (!socket.write(part)) break;
  }
  if (left > 0) socket.once('drain', () => writeBlocks(socket, left));
}

function answer(socket, path) {
  const [, kind, validator, bytes] = path.split('/');
  if (kind === 'small') socket.write(small);
  else if (kind === 'big') {
    socket.write(head(Number(bytes), validator));
    writeBlocks(socket, Number(bytes));
  } else if (kind === 'held') {
    socket.write(head(heldBytes * 64, validator));
    socket.write(block.subarray(0, heldBytes));
  } else socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n');
}

const server = createServer({ noDelay: true }, (socket) => {
  let pending = '';
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    pending += chunk.latin1Slice();
    for (let end = pending.indexOf('\r\n\r\n'); end >= 0; end = pending.indexOf('\r\n\r\n')) {
      answer(socket, pending.slice(pending.indexOf(' ') + 1, pending.indexOf(' HTTP/1.1')));
      pending = pending.slice(end + 4);
    }
  });
});

server.listen({ port: 0, host: '127.0.0.1', backlog: 2048 }, () => process.send({ port: server.address().port }));
process.on('disconnect', () => process.exit());
