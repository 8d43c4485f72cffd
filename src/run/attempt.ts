/** One run of the command, from the gate to the last byte of its output; afterwards nothing of it is left. */
import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import type { Writable } from 'node:stream';
import { type Clock, sleep } from '../runtime/index.ts';
import { type Gated, spawnBehindGate } from './gate.ts';
import { OutputTail } from './output-tail.ts';
import { type Pump, pump } from './pumps.ts';
import type { Ended } from './run-events.ts';
import type { Screen } from './screen.ts';
import type { StandardInput } from './standard-input.ts';
import type { Terminal } from './terminal.ts';
import type { Watcher } from './watcher.ts';

/** Silence after the command's end that ends the wait for output of what it has left running. */
const QUIET_MS = 250;
/** Between SIGTERM and SIGKILL. */
const GRACE_MS = 1_000;
const POLL_MS = 20;

export interface AttemptPlan {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly input: StandardInput;
  readonly stdout: Writable | undefined;
  readonly stderr: Writable | undefined;
  /** Both go to one place, and keep their order. */
  readonly isJoined: boolean;
  /** Where stdout or stderr is a terminal. */
  readonly screen: Screen | undefined;
  readonly watcher: Watcher;
  readonly clock: Clock;
}

export interface AttemptEnd extends Ended {
  readonly stdoutText: string;
  readonly stderrText: string;
  readonly stdoutBytes: number;
}

export interface Attempt {
  readonly pid: number | undefined;
  readonly ended: Promise<AttemptEnd>;
  /** To the whole process group. */
  signal(name: NodeJS.Signals): void;
  /** SIGTERM, and after a second SIGKILL. */
  stop(): void;
}

export function startAttempt(plan: AttemptPlan): Attempt {
  const { command, args, cwd, env, input, isJoined, screen, watcher } = plan;
  const terminal = screen?.open();
  const hasKeys = terminal !== undefined && screen?.hasKeyboard === true;
  const place = (isScreen: boolean) => (isScreen && terminal !== undefined ? terminal.slave : 'pipe');
  const gated = spawnBehindGate({
    command,
    args,
    cwd,
    env,
    stdio: [
      hasKeys ? terminal.slave : input.stream,
      place(screen?.isStdout === true),
      isJoined ? 'ignore' : place(screen?.isStderr === true),
    ],
    terminalPath: terminal?.path,
    hidden: terminal?.masterHandle,
    isJoined,
  });
  const { child } = gated;
  const exited = exitOf(child);
  if (child.pid !== undefined) watcher.guard(child.pid);
  const stdoutTail = new OutputTail();
  const stderrTail = isJoined ? stdoutTail : new OutputTail();
  const group = new Group(child.pid, plan.clock);
  const begun = begin(plan, gated, terminal, { stdoutTail, stderrTail });
  const finish = async (): Promise<AttemptEnd> => {
    const ended = await exited;
    const { pumps, stopFeeding, stopScreen } = await begun;
    stopFeeding();
    terminal?.releaseSlave();
    await drained(pumps, plan.clock);
    for (const each of pumps) each.stop();
    await group.clear();
    watcher.release();
    stopScreen();
    terminal?.master.destroy();
    return {
      ...ended,
      stdoutText: isJoined ? '' : stdoutTail.text(),
      stderrText: stderrTail.text(),
      stdoutBytes: screen?.isStdout === true ? 0 : stdoutTail.totalBytes,
    };
  };
  return { pid: child.pid, ended: finish(), signal: (name) => group.signal(name), stop: () => group.stop() };
}

interface Begun {
  readonly pumps: readonly Pump[];
  stopFeeding(): void;
  stopScreen(): void;
}

/** Lets the command begin once somebody is at the other end of its streams. */
async function begin(
  plan: AttemptPlan,
  gated: Gated,
  terminal: Terminal | undefined,
  { stdoutTail, stderrTail }: { readonly stdoutTail: OutputTail; readonly stderrTail: OutputTail },
): Promise<Begun> {
  const { stdin, stdout, stderr } = (await gated.ready) ?? {};
  const pumps: Pump[] = [];
  if (stdout !== undefined) pumps.push(pump(stdout, plan.stdout, stdoutTail));
  if (stderr !== undefined) pumps.push(pump(stderr, plan.stderr, stderrTail));
  if (terminal !== undefined) pumps.push(pump(terminal.master, plan.screen!.target, stderrTail));
  const stopFeeding = stdin === undefined ? () => {} : plan.input.feed(stdin);
  const stopScreen = terminal === undefined ? () => {} : plan.screen!.connect(terminal);
  gated.open();
  return {
    pumps,
    stopFeeding: () => {
      stopFeeding();
      stdin?.destroy();
    },
    stopScreen,
  };
}

function exitOf(child: ChildProcess): Promise<Ended> {
  return new Promise((resolve) => {
    child.once('error', () => resolve({ exitCode: 126, signal: undefined }));
    child.once('exit', (code, signal) => {
      resolve(signal === null ? fromCode(code ?? 0) : { exitCode: 128 + constants.signals[signal], signal });
    });
  });
}

/** A shell or a wrapper says with its code that a signal ended the command. */
function fromCode(exitCode: number): Ended {
  return { exitCode, signal: undefined };
}

/** What the command has left running may hold its output open for ever: it is waited for only while something comes. */
async function drained(pumps: readonly Pump[], clock: Clock): Promise<void> {
  let isDone = false;
  const all = Promise.all(pumps.map(({ ended }) => ended)).then(() => {
    isDone = true;
  });
  const total = () => pumps.reduce((sum, { passedBytes }) => sum + passedBytes, 0);
  for (let before = -1; !isDone && before !== total(); ) {
    before = total();
    const quiet = new AbortController();
    await Promise.race([all, sleep(clock, QUIET_MS, quiet.signal).catch(() => {})]);
    quiet.abort();
  }
}

/** The command and all that it has started, but for what made a session of its own. */
class Group {
  readonly #id: number | undefined;
  readonly #clock: Clock;
  #isCleared = false;

  constructor(id: number | undefined, clock: Clock) {
    this.#id = id;
    this.#clock = clock;
  }

  signal(name: NodeJS.Signals | 0): boolean {
    if (this.#id === undefined || this.#isCleared) return false;
    try {
      return process.kill(-this.#id, name);
    } catch {
      return false;
    }
  }

  stop(): void {
    if (!this.signal('SIGTERM')) return;
    this.#clock.after(GRACE_MS, () => this.signal('SIGKILL'), 'idle');
  }

  /** Ends what the command has left running. */
  async clear(): Promise<void> {
    if (this.signal('SIGTERM')) {
      for (let waitedMs = 0; waitedMs < GRACE_MS && this.signal(0); waitedMs += POLL_MS) {
        await sleep(this.#clock, POLL_MS);
      }
      this.signal('SIGKILL');
    }
    this.#isCleared = true;
  }
}
