import { fstatSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { freshState } from '../core/index.ts';
import { sleep, type Timer, tell } from '../runtime/index.ts';
import { type Attempt, type AttemptEnd, startAttempt } from './attempt.ts';
import { decideRepeat } from './decide-repeat.ts';
import { findCommand } from './find-command.ts';
import { type Forwarding, forwardSignals } from './forward-signals.ts';
import { type HalfMade, watchHalfMade } from './half-made.ts';
import type { Judged } from './judge.ts';
import type { Judgement, RunEvent, RunReason, RunResult } from './run-events.ts';
import { type RunOptions, type RunSettings, resolveRunOptions } from './run-options.ts';
import { type Recognised, recogniseTool } from './run-tools.ts';
import { findScreen, type Screen } from './screen.ts';
import { openStandardInput, type StandardInput } from './standard-input.ts';
import { startVia, type ViaSession } from './via.ts';
import { startWatcher, type Watcher } from './watcher.ts';

/**
 * Runs a command, and runs it again when its failure was transient and a repeat does no harm. Its output passes through as
 * it comes; none of its processes outlives the call. An abort ends them and rejects with the signal's own reason.
 *
 * @throws ConfigError if a word or an option cannot be used
 * @example
 * const { exitCode, attempts, reason } = await run('git', ['clone', 'https://example.com/repo.git']);
 * console.log(exitCode, attempts, reason);
 */
export async function run(command: string, args: readonly string[] = [], options: RunOptions = {}): Promise<RunResult> {
  const settings = resolveRunOptions(command, args, options);
  settings.signal?.throwIfAborted();
  const found = findCommand(command, settings.cwd, settings.env.PATH);
  if (found.kind !== 'found') return notStarted(settings, found.exitCode, found.message);
  const recognised = recogniseTool(command, args);
  const tellAll = (event: RunEvent) => tell<RunEvent>(settings.onEvent, event);
  const via = settings.via.length === 0 ? undefined : await startVia(settings.via, settings.env, recognised, tellAll);
  try {
    return await runFound(command, args, settings, via);
  } finally {
    await via?.close();
  }
}

async function runFound(
  command: string,
  args: readonly string[],
  given: RunSettings,
  via: ViaSession | undefined,
): Promise<RunResult> {
  const settings = via === undefined ? given : { ...given, env: via.env };
  const words = withWords(args, via?.words ?? [], recogniseTool(command, args));
  const wantsScreen = settings.stdout === 'inherit' && settings.stderr === 'inherit';
  const screen = wantsScreen ? findScreen() : undefined;
  if (typeof screen === 'string') note(settings, `${screen}: the command gets pipes`);
  const course = new Course(command, words, settings, typeof screen === 'string' ? undefined : screen);
  course.onEnd = () => via?.report();
  course.countTroubles = () => via?.troubles ?? 0;
  return await course.run();
}

/** Right behind the tool's name; `cargo +nightly` has its toolchain there. */
function withWords(args: readonly string[], words: readonly string[], { args: own }: Recognised): readonly string[] {
  const at = args.length - own.length + (own[0]?.startsWith('+') === true ? 1 : 0);
  return [...args.slice(0, at), ...words, ...args.slice(at)];
}

function note({ onEvent }: RunSettings, text: string): void {
  tell<RunEvent>(onEvent, { type: 'note', text });
}

function notStarted({ onEvent }: RunSettings, exitCode: number, message: string): RunResult {
  const judgement: Judgement = {
    verdict: 'local',
    row: undefined,
    what: message,
    means: 'Nothing was started.',
    phase: undefined,
    evidence: undefined,
    next: undefined,
  };
  const result: RunResult = { exitCode, attempts: 0, reason: 'not-started', judgement, durationMs: 0, waitedMs: 0 };
  tell<RunEvent>(onEvent, { type: 'end', result });
  return result;
}

interface Failed {
  readonly end: AttemptEnd;
  readonly judged: Judged;
}

/** All attempts of one call. */
class Course {
  readonly #command: string;
  readonly #args: readonly string[];
  readonly #settings: RunSettings;
  readonly #screen: Screen | undefined;
  readonly #recognised: Recognised;
  readonly #input: StandardInput;
  readonly #halfMade: HalfMade;
  readonly #watcher: Watcher = startWatcher();
  readonly #startedAtMs: number;
  readonly #deadlineAtMs: number | undefined;
  readonly #isJoined: boolean;
  /** Before the last event. */
  onEnd: () => void = () => {};
  countTroubles: () => number = () => 0;
  #troublesBefore = 0;
  #forwarding: Forwarding | undefined;
  #attempt: Attempt | undefined;
  #state = freshState;
  #attempts = 0;
  #waitedMs = 0;

  constructor(command: string, args: readonly string[], settings: RunSettings, screen: Screen | undefined) {
    const { clock } = settings.runtime;
    this.#command = command;
    this.#args = args;
    this.#settings = settings;
    this.#screen = screen;
    this.#recognised = recogniseTool(command, args);
    this.#input = openStandardInput(settings.stdin);
    this.#halfMade = watchHalfMade(command, args, settings.cwd, settings.env, clock);
    this.#startedAtMs = clock.nowMs();
    this.#deadlineAtMs = settings.deadlineMs === undefined ? undefined : this.#startedAtMs + settings.deadlineMs;
    this.#isJoined = screen === undefined && isOnePlace(settings);
  }

  async run(): Promise<RunResult> {
    const { signal, forwardSignals: wantsSignals } = this.#settings;
    const stop = () => this.#attempt?.stop();
    signal?.addEventListener('abort', stop);
    if (wantsSignals) {
      this.#forwarding = forwardSignals(this.#settings.runtime.clock, (name) => this.#attempt?.signal(name));
    }
    try {
      return await this.#repeat();
    } finally {
      this.#forwarding?.stop();
      signal?.removeEventListener('abort', stop);
      this.#watcher.close();
    }
  }

  async #repeat(): Promise<RunResult> {
    for (;;) {
      const startedAtMs = this.#nowMs();
      const end = await this.#try();
      this.#settings.signal?.throwIfAborted();
      if (end.exitCode === 0 && !this.#isHidden(end)) return this.#end(end.exitCode, 'succeeded', undefined);
      const failed = { end, judged: await this.#judge(end) };
      this.#tell({
        type: 'failure',
        attemptNumber: this.#state.attemptNumber,
        ended: { exitCode: end.exitCode, signal: end.signal },
        judgement: failed.judged.judgement,
        durationMs: this.#nowMs() - startedAtMs,
      });
      const result = await this.#afterFailure(failed);
      if (result !== undefined) return result;
    }
  }

  /** @returns the end, or nothing when the next attempt is due */
  async #afterFailure({ end, judged }: Failed): Promise<RunResult | undefined> {
    const { attemptNumber } = this.#state;
    const finish = (reason: RunReason) => this.#end(end.exitCode, reason, judged.judgement);
    if (this.#isInterrupted()) return finish('interrupted');
    const repeat = decideRepeat(this.#settings.policy, this.#state, judged, this.#facts(end, judged));
    if (repeat.kind === 'stop') return finish(repeat.reason);
    this.#state = repeat.state;
    const removed = this.#halfMade.remove();
    if (removed !== undefined) this.#tell({ type: 'cleaned', attemptNumber, ...removed });
    const { delayMs } = repeat;
    this.#tell({ type: 'wait', attemptNumber, delayMs, maxAttempts: this.#settings.policy.maxAttempts });
    const startedAtMs = this.#nowMs();
    await this.#sleep(delayMs);
    this.#waitedMs += this.#nowMs() - startedAtMs;
    if (!this.#isInterrupted()) return undefined;
    return this.#end(this.#forwarding?.exitCode ?? end.exitCode, 'interrupted', judged.judgement);
  }

  /** A signal to us ends the wait, too. */
  async #sleep(delayMs: number): Promise<void> {
    const signals = [this.#settings.signal, this.#forwarding?.signal].filter((each) => each !== undefined);
    try {
      await sleep(this.#settings.runtime.clock, delayMs, AbortSignal.any(signals));
    } catch (error) {
      this.#settings.signal?.throwIfAborted();
      if (!this.#isInterrupted()) throw error;
    }
  }

  async #try(): Promise<AttemptEnd> {
    const { cwd, env, stdout, stderr, runtime } = this.#settings;
    const attempt = startAttempt({
      command: this.#command,
      args: this.#args,
      cwd,
      env,
      input: this.#input,
      stdout: writableOf(stdout, process.stdout),
      stderr: this.#isJoined ? undefined : writableOf(stderr, process.stderr),
      isJoined: this.#isJoined,
      screen: this.#screen,
      watcher: this.#watcher,
      clock: runtime.clock,
    });
    this.#attempt = attempt;
    this.#troublesBefore = this.countTroubles();
    this.#attempts += 1;
    this.#halfMade.watch();
    this.#tell({ type: 'attempt', attemptNumber: this.#state.attemptNumber, pid: attempt.pid });
    if (this.#isInterrupted() || this.#settings.signal?.aborted === true) attempt.stop();
    const timer = this.#startDeadline(attempt);
    try {
      return await attempt.ended;
    } finally {
      timer?.cancel();
      this.#halfMade.settle();
      this.#attempt = undefined;
    }
  }

  #startDeadline(attempt: Attempt): Timer | undefined {
    if (this.#deadlineAtMs === undefined) return undefined;
    const leftMs = Math.max(1, this.#deadlineAtMs - this.#nowMs());
    return this.#settings.runtime.clock.after(leftMs, () => attempt.stop());
  }

  #facts(end: AttemptEnd, { isRisky, failure }: Judged) {
    const { repeatable, retryOnExit, retryOnOutput, runtime } = this.#settings;
    const { tool, args } = this.#recognised;
    const changes = tool?.changes?.(args) === true;
    const shown = `${end.stdoutText}\n${end.stderrText}`;
    return {
      nowMs: this.#nowMs(),
      deadlineAtMs: this.#deadlineAtMs,
      random: runtime.random,
      isAsked: retryOnExit.has(end.exitCode) || retryOnOutput.some((text) => shown.includes(text)),
      isRepeatable: repeatable || !(failure.mayHaveRun && (changes || isRisky)),
      isInputConsumed: this.#input.isConsumed(),
      isOutputPassedOn: end.stdoutBytes > 0 && tool?.givesData?.(args) === true && this.#settings.stdout !== 'ignore',
    };
  }

  /** What runs as a deadline passes was ended by us, whatever its last words. */
  async #judge(end: AttemptEnd): Promise<Judged> {
    const { judge } = await import('./judge.ts');
    const output = `${end.stdoutText}\n${end.stderrText}`;
    const hasMirrorTrouble = this.countTroubles() > this.#troublesBefore;
    return judge({ tool: this.#recognised.tool?.name, ended: end, output, hasMirrorTrouble });
  }

  #isHidden({ stdoutText, stderrText }: AttemptEnd): boolean {
    const hidden = this.#recognised.tool?.hides ?? [];
    return hidden.some((text) => stderrText.includes(text) || stdoutText.includes(text));
  }

  #isInterrupted(): boolean {
    return this.#forwarding?.signal.aborted === true || this.#screen?.isInterrupted === true;
  }

  #end(exitCode: number, reason: RunReason, judgement: Judgement | undefined): RunResult {
    const isLate = this.#deadlineAtMs !== undefined && this.#nowMs() >= this.#deadlineAtMs;
    const result: RunResult = {
      exitCode,
      attempts: this.#attempts,
      reason: isLate && reason !== 'succeeded' ? 'deadline' : reason,
      judgement,
      durationMs: this.#nowMs() - this.#startedAtMs,
      waitedMs: this.#waitedMs,
    };
    this.onEnd();
    this.#tell({ type: 'end', result });
    return result;
  }

  #tell(event: RunEvent): void {
    tell(this.#settings.onEvent, event);
  }

  #nowMs(): number {
    return this.#settings.runtime.clock.nowMs();
  }
}

function writableOf(choice: RunSettings['stdout'], own: Writable): Writable | undefined {
  if (choice === 'ignore') return undefined;
  return choice === 'inherit' ? own : choice;
}

/** `> log 2>&1`: two pipes would lose the order of what is written to one file. */
function isOnePlace({ stdout, stderr }: RunSettings): boolean {
  if (stdout !== 'inherit' || stderr !== 'inherit') return false;
  try {
    const [one, other] = [fstatSync(1, { bigint: true }), fstatSync(2, { bigint: true })];
    return one.dev === other.dev && one.ino === other.ino && !one.isCharacterDevice();
  } catch {
    return false;
  }
}
