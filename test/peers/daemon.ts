/** A real program as a server: in a folder of its own, on a port of its own, ended by its process group. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';

/** The path of a program, or undefined and a line that says what is skipped for want of it. */
export function findProgram(name: string, debianPackage: string): string | undefined {
  const folders = ['/usr/sbin', '/usr/bin', '/sbin', '/bin', '/usr/local/sbin', '/usr/local/bin', '/opt/homebrew/bin'];
  const path = folders.map((folder) => join(folder, name)).find((candidate) => existsSync(candidate));
  if (path === undefined) saySkipped(`${name} is not installed (apt-get install ${debianPackage})`);
  return path;
}

export function saySkipped(reason: string): void {
  process.stderr.write(`skipped: ${reason}\n`);
}

/** Asks again and again, since other programs send us no events. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await pause(3);
}

/** Below the range that the kernel gives to clients: nobody takes the port while its server is down. */
export async function freePort(): Promise<number> {
  while (true) {
    const server = createServer();
    const isFree = new Promise<boolean>((resolve) => {
      server.once('listening', () => resolve(true)).once('error', () => resolve(false));
    });
    const port = randomInt(12_000, 32_000);
    server.listen(port, '127.0.0.1');
    if (!(await isFree)) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}

/** A folder that a daemon may write to, also one that gives up its rights. */
export async function createPlace(name: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `reknit-${name}-`));
  await chmod(folder, 0o777);
  return folder;
}

/** Reads what only we could write: when we are gone, however that came, the group goes, too. It is nobody's child. */
const guard = '((read -r _ <&3; kill -s KILL -- -$$) </dev/null >/dev/null 2>&1 &); exec "$@"';

/** A process that leads a group: with it, or with us, end all that it has started. */
export function spawnGroup(program: string, args: readonly string[]): ChildProcess {
  const stdio = ['pipe', 'pipe', 'pipe', 'pipe'] as const;
  const child = spawn('sh', ['-c', guard, 'sh', program, ...args], { detached: true, stdio: [...stdio] });
  child.once('exit', () => (child.stdio[3] as Writable).destroy());
  return child;
}

export function killGroup(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It has ended by itself, and everything in it.
  }
}

export class Daemon implements AsyncDisposable {
  readonly folder: string;
  readonly port: number;
  readonly #command: readonly [program: string, ...args: string[]];
  #process: ChildProcess | undefined;
  #said = '';

  constructor(folder: string, port: number, command: readonly [program: string, ...args: string[]]) {
    this.folder = folder;
    this.port = port;
    this.#command = command;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** All that it has printed. */
  get said(): string {
    return this.#said;
  }

  get pid(): number {
    return this.#process!.pid!;
  }

  /** Resolves when the port takes connections. */
  async start(): Promise<void> {
    const [program, ...args] = this.#command;
    const child = spawnGroup(program, args);
    this.#process = child;
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#said += text;
      });
    }
    await until(async () => {
      if (child.exitCode !== null) throw new Error(`${program} has ended with ${child.exitCode}: ${this.#said}`);
      return isListening(this.port);
    });
  }

  signal(name: NodeJS.Signals): void {
    this.#process!.kill(name);
  }

  /** As a crash or the OOM killer would, master and workers: no goodbye. */
  async kill(): Promise<void> {
    const child = this.#process!;
    killGroup(child);
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    await until(async () => !(await isListening(this.port)));
  }

  async restart(): Promise<void> {
    await this.kill();
    await this.start();
  }

  /** Asks it to end, and waits until it has: what it logs is written then. */
  async stop(name: NodeJS.Signals): Promise<void> {
    const child = this.#process!;
    const ended = once(child, 'close');
    child.kill(name);
    await ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }
}
