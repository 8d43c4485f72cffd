/** A network of its own, with nothing in it but a loopback, made without rights and gone with the process that holds it. */
import { type ChildProcess, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createPlace, findProgram, killGroup, saySkipped, spawnGroup } from './daemon.ts';

export class Namespace implements AsyncDisposable {
  readonly folder: string;
  readonly #holder: ChildProcess;
  readonly #members: ChildProcess[] = [];

  constructor(folder: string, holder: ChildProcess) {
    this.folder = folder;
    this.#holder = holder;
  }

  start(program: string, ...args: readonly string[]): ChildProcess {
    const child = spawnGroup('nsenter', [...this.#enter, program, ...args]);
    this.#members.push(child);
    return child;
  }

  /** Changes the rules of the firewall, before it returns: `-A OUTPUT …`, `-D OUTPUT …`. */
  iptables(rule: string): void {
    const env = { ...process.env, XTABLES_LOCKFILE: join(this.folder, 'xtables.lock') };
    const { status, stderr } = spawnSync('nsenter', [...this.#enter, 'iptables', '-w', ...rule.split(' ')], { env });
    if (status !== 0) throw new Error(`iptables ${rule}: ${String(stderr).trim()}`);
  }

  get #enter(): readonly string[] {
    return ['--preserve-credentials', '--user', '--net', '--target', String(this.#holder.pid)];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const all = [...this.#members, this.#holder];
    for (const child of all) killGroup(child);
    await Promise.all(all.map((child) => child.exitCode ?? child.signalCode ?? once(child, 'exit')));
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** @throws with the reason where the machine forbids it */
export async function createNamespace(): Promise<Namespace> {
  const folder = await createPlace('namespace');
  const holder = spawnGroup('unshare', [
    '--map-root-user',
    '--net',
    'sh',
    '-c',
    'ip link set lo up && echo up && exec cat',
  ]);
  let said = '';
  holder.stderr!.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const isUp = await Promise.race([
    once(holder.stdout!, 'data').then(() => true),
    once(holder, 'close').then(() => false),
  ]);
  if (!isUp) {
    await rm(folder, { recursive: true });
    throw new Error(`no user and network namespace: ${said.trim()}`);
  }
  return new Namespace(folder, holder);
}

/** Whether the kernel lets us have such a network, with the rules that will be asked for; if not, says why. */
export async function hasNamespaces(rules: readonly string[]): Promise<boolean> {
  const programs = [
    findProgram('unshare', 'util-linux'),
    findProgram('ip', 'iproute2'),
    findProgram('iptables', 'iptables'),
  ];
  if (programs.includes(undefined)) return false;
  try {
    await using namespace = await createNamespace();
    for (const rule of rules) namespace.iptables(`-A ${rule}`);
    return true;
  } catch (error) {
    saySkipped(`faults of the kernel: ${(error as Error).message}`);
    return false;
  }
}
