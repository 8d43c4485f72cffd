import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Ran } from './plan.ts';

/**
 * Listens inside and passes every connection on to a unix socket, which no network namespace hides. It holds the
 * namespace: when its input ends, because we have ended or died, it goes, and the namespace with it.
 */
const relay = `
  const { connect, createServer } = require('node:net');
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (inner) => {
    const outer = connect({ path: process.argv[1], allowHalfOpen: true });
    const reset = () => { inner.resetAndDestroy(); outer.destroy(); };
    inner.on('error', reset).pipe(outer);
    outer.on('error', reset).pipe(inner);
    // A unix socket has no resets: one that closes without an end was one.
    outer.on('close', () => { if (!outer.readableEnded) inner.resetAndDestroy(); });
  });
  server.listen(0, '127.0.0.1', () => console.log(server.address().port));
  process.stdin.resume().on('end', () => process.exit()).on('error', () => process.exit());
`;

export interface Namespace {
  readonly port: number;
  readonly enter: readonly string[];
  run(command: readonly string[], signal?: AbortSignal): Promise<Ran>;
  close(): Promise<void>;
}

/** @throws Error with what the machine says, where it forbids namespaces. */
export async function createNamespace(target: { readonly host: string; readonly port: number }): Promise<Namespace> {
  const folder = await mkdtemp(join(tmpdir(), 'reknit-lab-'));
  const path = join(folder, 'way-out');
  const wayOut = await listenOn(path, target);
  const holder = spawn('unshare', [
    ...['--user', '--map-root-user', '--net', 'sh', '-c', 'ip link set lo up && exec "$0" "$@"'],
    ...[process.execPath, '-e', relay, path],
  ]);
  const ended = new Promise<void>((resolve) => holder.once('close', () => resolve()));
  const close = async () => {
    holder.stdin?.destroy();
    holder.kill();
    await ended;
    await wayOut.close();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const port = Number(await firstLine(holder));
    const enter = ['nsenter', '--target', String(holder.pid), '--user', '--net', '--preserve-credentials', '--'];
    const env = { ...process.env, XTABLES_LOCKFILE: join(folder, 'xtables.lock') };
    return { port, enter, close, run: (command, signal) => runIn([...enter, ...command], env, signal) };
  } catch (error) {
    await close();
    throw error;
  }
}

async function listenOn(path: string, target: { host: string; port: number }): Promise<{ close(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    return socket;
  };
  const server: Server = createServer({ allowHalfOpen: true }, (inner) => {
    const outer = keep(connect({ ...target, allowHalfOpen: true, noDelay: true }));
    const drop = () => {
      inner.destroy();
      outer.destroy();
    };
    keep(inner).on('error', drop).pipe(outer);
    outer.on('error', drop).pipe(inner);
    inner.on('close', () => outer.destroy());
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(path, () => resolve()));
  return {
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function firstLine(child: ChildProcess): Promise<string> {
  let said = '';
  return new Promise((resolve, reject) => {
    child.stderr?.on('data', (bytes: Buffer) => {
      said += bytes.toString();
    });
    child.stdout?.once('data', (bytes: Buffer) => resolve(bytes.toString().trim()));
    child.once('error', reject);
    child.once('close', () => reject(new Error(said.trim() || 'the namespace ended at once')));
  });
}

function runIn(command: readonly string[], env: NodeJS.ProcessEnv, signal: AbortSignal | undefined): Promise<Ran> {
  const [file = '', ...args] = command;
  const child = spawn(file, args, {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    killSignal: 'SIGKILL',
    ...(signal && { signal }),
  });
  const out: Buffer[] = [];
  let stderr = '';
  child.stdout.on('data', (bytes: Buffer) => out.push(bytes));
  child.stderr.on('data', (bytes: Buffer) => {
    stderr += bytes.toString();
  });
  return new Promise((resolve, reject) => {
    child.on('error', (error) => (error.name === 'AbortError' ? undefined : reject(error)));
    child.on('close', (exitCode, killedBy) => {
      resolve({ exitCode, signal: killedBy, stdout: Buffer.concat(out), stderr });
    });
  });
}
