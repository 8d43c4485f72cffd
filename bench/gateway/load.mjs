// The clients, in one process: raw sockets that ask again as soon as they have the whole answer, and what each wait took.
import { connect } from 'node:net';

/** Calls `onAnswer(firstByteMs, wholeMs)` for each; knows only the two framings that matter here. */
function createClient(port, request, onAnswer) {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  let pending = Buffer.alloc(0);
  let sentAtMs = 0;
  let firstByteMs = 0;
  let isBusy = false;
  const state = { socket, error: undefined };
  const send = () => {
    isBusy = true;
    firstByteMs = 0;
    sentAtMs = performance.now();
    socket.write(request);
  };
  socket.on('error', (error) => {
    state.error = error;
  });
  socket.on('data', (bytes) => {
    pending = pending.length === 0 ? bytes : Buffer.concat([pending, bytes]);
    const headEnd = pending.indexOf('\r\n\r\n');
    if (headEnd < 0) return;
    const head = pending.latin1Slice(0, headEnd);
    if (!head.startsWith('HTTP/1.1 200')) {
      state.error = new Error(`${head.split('\r\n')[0]} ${pending.latin1Slice(headEnd, headEnd + 200)}`);
      socket.destroy();
      onAnswer(0, 0);
      return;
    }
    if (firstByteMs === 0 && pending.length > headEnd + 4) firstByteMs = performance.now() - sentAtMs;
    const length = /content-length: *(\d+)/i.exec(head)?.[1];
    const isWhole =
      length === undefined
        ? pending.subarray(-5).toString('latin1') === '0\r\n\r\n'
        : pending.length >= headEnd + 4 + Number(length);
    if (!isWhole) return;
    pending = Buffer.alloc(0);
    isBusy = false;
    onAnswer(firstByteMs, performance.now() - sentAtMs, send);
  });
  socket.once('connect', send);
  return { state, isBusy: () => isBusy };
}

async function run({ port, request, connections, count, durationMs, pauseMs = 0 }) {
  const wholes = [];
  const firsts = [];
  const clients = [];
  const beganAtMs = performance.now();
  const mayGoOn = () =>
    count === undefined ? performance.now() - beganAtMs < durationMs : wholes.length + connections <= count;
  await new Promise((resolve, reject) => {
    let open = connections;
    const one = () => {
      const client = createClient(port, request, (firstByteMs, wholeMs, again) => {
        if (client.state.error !== undefined) {
          reject(client.state.error);
          return;
        }
        wholes.push(wholeMs);
        firsts.push(firstByteMs);
        if (mayGoOn()) {
          if (pauseMs > 0) setTimeout(again, pauseMs);
          else again();
          return;
        }
        client.state.socket.destroy();
        open -= 1;
        if (open === 0) resolve();
      });
      client.state.socket.on('close', () => client.state.error !== undefined && reject(client.state.error));
      clients.push(client);
    };
    for (let index = 0; index < connections; index += 1) one();
  });
  const wallMs = performance.now() - beganAtMs;
  const at = (values, share) =>
    values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))];
  return {
    perSecond: (wholes.length / wallMs) * 1_000,
    count: wholes.length,
    p50Ms: at(wholes, 0.5),
    p99Ms: at(wholes, 0.99),
    firstP50Ms: at(firsts, 0.5),
    firstP99Ms: at(firsts, 0.99),
  };
}

const held = [];

/** Opens streams that say one word and then nothing, and keeps them. */
async function hold({ port, request, count }) {
  const opened = Array.from({ length: count }, () => {
    const socket = connect({ port, host: '127.0.0.1' });
    held.push(socket);
    socket.on('error', () => {});
    return new Promise((resolve) => {
      let text = '';
      socket.on('data', (bytes) => {
        text += bytes.latin1Slice();
        if (text.includes('one ')) resolve();
      });
      socket.once('connect', () => socket.write(request));
    });
  });
  await Promise.all(opened);
  return held.length;
}

process.on('message', async ({ order, ...settings }) => {
  try {
    process.send({ result: order === 'hold' ? await hold(settings) : await run(settings) });
  } catch (error) {
    process.send({ error: String(error?.stack ?? error) });
  }
});
process.on('disconnect', () => process.exit());
process.send({ isReady: true });
