// The upstream of every proxy: raw sockets and prepared bytes. `GET /small` and `POST /v1/chat/completions` are answered
// with 1 KiB; a POST whose body asks for a stream gets events: five at once, or, with `"idle":true`, one and then nothing.
import { createServer } from 'node:net';

const answerOf = (type, body) =>
  Buffer.from(
    `HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\nConnection: keep-alive\r\n\r\n${body}`,
  );
const message = { id: 'c', object: 'chat.completion', created: 1, model: 'm' };
const choice = (text) => ({ index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop' });
const usage = { prompt_tokens: 9, completion_tokens: 99, total_tokens: 108 };
const chat = answerOf(
  'application/json',
  JSON.stringify({ ...message, choices: [choice('reknit '.repeat(110))], usage }),
);
const small = answerOf('application/octet-stream', 'reknit! '.repeat(128));

const event = (delta, finish = null) =>
  `data: ${JSON.stringify({ ...message, object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
const chunk = (text) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
const streamHead =
  'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n';
const first = chunk(event({ role: 'assistant', content: '' })) + chunk(event({ content: 'one ' }));
const rest =
  ['two ', 'three ', 'four '].map((content) => chunk(event({ content }))).join('') + chunk(event({}, 'stop'));
const idle = Buffer.from(streamHead + first);
const stream = Buffer.from(`${streamHead}${first}${rest}${chunk('data: [DONE]\n\n')}0\r\n\r\n`);

function answer(socket, head, body) {
  if (head.startsWith('GET')) socket.write(small);
  else if (!body.includes('"stream":true')) socket.write(chat);
  else socket.write(body.includes('"idle":true') ? idle : stream);
}

const server = createServer({ noDelay: true }, (socket) => {
  let pending = '';
  socket.on('error', () => {});
  socket.on('data', (bytes) => {
    pending += bytes.latin1Slice();
    for (let end = pending.indexOf('\r\n\r\n'); end >= 0; end = pending.indexOf('\r\n\r\n')) {
      const head = pending.slice(0, end);
      const length = Number(/content-length: *(\d+)/i.exec(head)?.[1] ?? 0);
      let body = pending.slice(end + 4, end + 4 + length);
      let endOfBody = end + 4 + length;
      if (length === 0 && /transfer-encoding: *chunked/i.test(head)) {
        const last = pending.indexOf('\r\n0\r\n\r\n', end);
        if (last < 0) return;
        body = pending.slice(end + 4, last);
        endOfBody = last + 7;
      }
      if (pending.length < endOfBody) return;
      pending = pending.slice(endOfBody);
      answer(socket, head, body);
    }
  });
});
server.listen({ port: 0, host: '127.0.0.1', backlog: 2_048 }, () => process.send({ port: server.address().port }));
process.on('disconnect', () => process.exit());
