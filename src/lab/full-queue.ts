import { connect, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';

/** A port whose queue of connections is full. */
export interface FullQueue {
  /** Stops listening; resolves when the port is free. */
  release(): Promise<void>;
}

/** Linux queues one connection more than the backlog says, and drops the SYN of every further one. */
const backlog = 1;
const fillerCount = backlog + 1;

/** Listens and then sleeps, so that nobody accepts: only a thread of its own can do that. */
const sleeper = `
  const { createServer } = require('node:net');
  const { parentPort, workerData } = require('node:worker_threads');
  const { host, port, backlog, flag } = workerData;
  const server = createServer((socket) => socket.destroy());
  server.on('error', (error) => { throw error; });
  server.listen({ host, port, backlog }, () => {
    parentPort.postMessage('listening');
    Atomics.wait(flag, 0, 0);
    process.exit();
  });
`;

/** Fills the queue of a port on which nothing listens yet with connections of our own. */
export async function fillQueue(host: string, port: number): Promise<FullQueue> {
  const flag = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(sleeper, { eval: true, workerData: { host, port, backlog, flag } });
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  const fillers: Socket[] = [];
  const release = async () => {
    for (const filler of fillers) filler.destroy();
    Atomics.store(flag, 0, 1);
    Atomics.notify(flag, 0);
    await ended;
  };
  await new Promise<void>((resolve, reject) => worker.once('message', () => resolve()).once('error', reject));
  fillers.push(...(await Promise.all(Array.from({ length: fillerCount }, () => opened(host, port)))));
  return { release };
}

function opened(host: string, port: number): Promise<Socket> {
  const socket = connect({ host, port });
  return new Promise((resolve, reject) => {
    socket.once('connect', () => {
      socket.on('error', () => {});
      resolve(socket);
    });
    socket.once('error', reject);
  });
}
