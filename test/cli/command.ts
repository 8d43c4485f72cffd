/** Runs the real command line, as a user would. */
import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';

export const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly killedBy: NodeJS.Signals | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  /** A command that runs it, with its own arguments. */
  readonly under?: readonly string[];
}

const stateFolders = join(tmpdir(), `reknit-cli-state-${process.pid}`);
let startedCount = 0;

/** One for each command, and none beside its other files: what one learns of a host must not meet another test. */
function createStateFolder(): string {
  if (startedCount === 0) process.once('exit', () => rmSync(stateFolders, { recursive: true, force: true }));
  startedCount += 1;
  return join(stateFolders, String(startedCount));
}

export function start(args: readonly string[], { cwd, env = {}, stdin, under = [] }: CommandOptions = {}): Started {
  const [program, ...all] = [...under, process.execPath, main, ...args];
  const child = spawn(program!, all, {
    cwd,
    env: { PATH: process.env.PATH, HOME: '/nonexistent', REKNIT_STATE_DIR: createStateFolder(), ...env },
    stdio: [stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  }) as ChildProcessByStdio<Writable | null, Readable, Readable>;
  child.stdin?.end(stdin);
  const stdout: Buffer[] = [];
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, killedBy) => resolve({ code, killedBy, stdout: Buffer.concat(stdout), stderr }));
  });
  return { child, ended };
}

export function reknit(args: readonly string[], options?: CommandOptions): Promise<Ended> {
  return start(args, options).ended;
}

export type JsonLine = Readonly<Record<string, unknown>> & { readonly event: string };

export function jsonLines(text: Buffer | string): JsonLine[] {
  return String(text)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as JsonLine);
}

export interface Folder extends AsyncDisposable {
  readonly path: string;
  file(name: string): string;
  sha256(name: string): Promise<string>;
}

export async function createFolder(parent = tmpdir()): Promise<Folder> {
  const path = await mkdtemp(join(parent, 'reknit-cli-'));
  const file = (name: string) => join(path, name);
  return {
    path,
    file,
    sha256: async (name) =>
      createHash('sha256')
        .update(await readFile(file(name)))
        .digest('hex'),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}
