// Serves one seekable body; with `?cut=BYTES` every answer ends after so many, by FIN. The body is one block over and over,
// so that it costs no disk: its SHA-256 is told at the start.
import { createHash } from 'node:crypto';
import { createServer } from 'node:net';

const block = Buffer.alloc(1024 * 1024);
for (let at = 0; at < block.length; at += 4) block.writeUInt32LE(Math.imul(at + 1, 2654435761) >>> 0, at);
const totalBytes = Number(process.argv[2]);

const hash = createHash('sha256');
for (let at = 0; at < totalBytes; at += block.length)
  hash.update(block.subarray(0, Math.min(block.length, totalBytes - at)));
const sha256 = hash.digest('hex');

function send(socket, from, to, cutAt) {
  const end = Math.min(to, cutAt);
  let at = from;
  const more = () => {
    while (at < end) {
      const start = at % block.length;
      const piece = block.subarray(start, start + Math.min(block.length - start, end - at));
      at += piece.length;
      if (!socket.write(piece)) {
        socket.once('drain', more);
        return;
      }
    }
    if (cutAt < to) socket.end();
  };
  more();
}

const server = createServer({ noDelay: true }, (socket) => {
  let pending = '';
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    pending += chunk.latin1Slice();
    const end = pending.indexOf('\r\n\r\n');
    if (end < 0) return;
    const head = pending.slice(0, end);
    pending = pending.slice(end + 4);
    const cut = Number(/[?&]cut=(\d+)/.exec(head)?.[1] ?? Number.POSITIVE_INFINITY);
    const range = /\r\nrange: *bytes=(\d+)-(\d*)/i.exec(head);
    const from = Number(range?.[1] ?? 0);
    const to = range?.[2] ? Math.min(totalBytes, Number(range[2]) + 1) : totalBytes;
    socket.write(
      [
        range ? 'HTTP/1.1 206 Partial Content' : 'HTTP/1.1 200 OK',
        'ETag: "bench-1"',
        'Accept-Ranges: bytes',
        'Content-Type: application/octet-stream',
        ...(range ? [`Content-Range: bytes ${from}-${to - 1}/${totalBytes}`] : []),
        `Content-Length: ${to - from}`,
        '\r\n',
      ].join('\r\n'),
    );
    send(socket, from, to, from + cut);
  });
});

server.listen({ port: 0, host: '127.0.0.1' }, () => process.send({ port: server.address().port, sha256 }));
process.on('disconnect', () => process.exit());
