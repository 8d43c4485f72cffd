import type { Writable } from 'node:stream';
import { ConfigError, checkOption, optionRows, type RetryPolicy, resolvePolicy, show } from '../core/index.ts';
import { type Runtime, systemRuntime } from '../runtime/index.ts';
import type { RunEvent } from './run-events.ts';
import { resolveVia, type ViaOption, type ViaOrigin } from './via.ts';

export interface RunOptions {
  /** @default the folder of this process */
  readonly cwd?: string;
  /** The whole environment. @default this process's */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** `ignore` gives the command an empty one, which can be given again. @default 'inherit' */
  readonly stdin?: 'inherit' | 'ignore';
  /**
   * `inherit` passes on to this process's, and a terminal stays one. @default 'inherit'
   */
  readonly stdout?: 'inherit' | 'ignore' | Writable;
  /** As `stdout`. @default 'inherit' */
  readonly stderr?: 'inherit' | 'ignore' | Writable;
  readonly retry?: {
    /** Attempts, the first included. @default 10 */
    readonly maxAttempts?: number;
    /** @default 500 */
    readonly baseDelayMs?: number;
    /** @default 20_000 */
    readonly maxDelayMs?: number;
    /** Base of the waits after 429 and its kin. @default 2_000 */
    readonly throttleDelayMs?: number;
  };
  /** Bound of all attempts and waits; the command's processes are ended then. @default none */
  readonly deadlineMs?: number | undefined;
  /** Exit codes after which it is repeated, whatever they mean. @default none */
  readonly retryOnExit?: readonly number[];
  /** Texts in the last output after which it is repeated, whatever they mean. @default none */
  readonly retryOnOutput?: readonly string[];
  /**
   * Starts a healing mirror on loopback for as long as the command runs, and points its tools there: by the name of a kind
   * (`pypi`, `npm`, `git`, `cargo`, `go`, `huggingface`, `openai`, `anthropic`), or by a variable in capitals that gets the
   * address; several URLs are equal places of the same content, `true` is the public one. @default none
   */
  readonly via?: ViaOption;
  /** Sending again does no harm, although the command changes something elsewhere. @default false */
  readonly repeatable?: boolean;
  /** Pass SIGINT, SIGTERM and SIGHUP of this process on to the command; they end the run. @default false */
  readonly forwardSignals?: boolean;
  /** Ends the command's processes; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: (event: RunEvent) => void;
  /** Clock and entropy, for tests. */
  readonly runtime?: Runtime;
}

/** Nothing in it is optional any more. */
export interface RunSettings {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly stdin: 'inherit' | 'ignore';
  readonly stdout: 'inherit' | 'ignore' | Writable;
  readonly stderr: 'inherit' | 'ignore' | Writable;
  readonly policy: RetryPolicy;
  readonly deadlineMs: number | undefined;
  readonly retryOnExit: ReadonlySet<number>;
  readonly retryOnOutput: readonly string[];
  readonly via: readonly ViaOrigin[];
  readonly repeatable: boolean;
  readonly forwardSignals: boolean;
  readonly signal: AbortSignal | undefined;
  readonly onEvent: ((event: RunEvent) => void) | undefined;
  readonly runtime: Runtime;
}

export const defaultMaxAttempts = 10;
const purpose = 'run a command';

/** @throws ConfigError naming the option, what must hold and what came */
export function resolveRunOptions(command: string, args: readonly string[], options: RunOptions): RunSettings {
  checkWords(command, args);
  const { retry, deadlineMs, retryOnExit = [], retryOnOutput = [] } = options;
  const policy = resolvePolicy({ retry: { maxAttempts: defaultMaxAttempts, ...retry } }, purpose).retry;
  if (deadlineMs !== undefined) {
    checkOption(optionRows.find(({ name }) => name === 'deadlineMs')!, deadlineMs, purpose);
  }
  return {
    cwd: options.cwd ?? process.cwd(),
    env: options.env ?? process.env,
    stdin: options.stdin ?? 'inherit',
    stdout: options.stdout ?? 'inherit',
    stderr: options.stderr ?? 'inherit',
    policy,
    deadlineMs,
    retryOnExit: new Set(retryOnExit.map(checkExit)),
    retryOnOutput: retryOnOutput.map(checkText),
    via: resolveVia(options.via ?? {}, purpose),
    repeatable: options.repeatable === true,
    forwardSignals: options.forwardSignals === true,
    signal: options.signal,
    onEvent: options.onEvent,
    runtime: options.runtime ?? systemRuntime,
  };
}

/** A command that begins with a dash would be an option to the shell that starts it. */
function checkWords(command: string, args: readonly string[]): void {
  if (typeof command !== 'string' || command === '' || command.startsWith('-')) {
    throw new ConfigError(`Cannot ${purpose} as it must be a name or a path: received ${show(command)}`);
  }
  const bad = [command, ...args].find((word) => typeof word !== 'string' || word.includes('\0'));
  if (bad !== undefined) {
    throw new ConfigError(`Cannot ${purpose} as its words must be texts without NUL: received ${show(bad)}`);
  }
}

function checkExit(code: number): number {
  if (Number.isInteger(code) && code >= 1 && code <= 255) return code;
  throw new ConfigError(`Cannot ${purpose} as retryOnExit must hold exit codes from 1 to 255: received ${show(code)}`);
}

function checkText(text: string): string {
  if (typeof text === 'string' && text.trim() !== '') return text;
  throw new ConfigError(
    `Cannot ${purpose} as retryOnOutput must hold texts that are not empty: received ${show(text)}`,
  );
}
