import { ConfigError } from '../core/index.ts';
import { createMirror, isLoopback, type Mirror, type MirrorEvent } from '../mirror/index.ts';
import { systemRuntime, type Timer } from '../runtime/index.ts';
import { exitCodes } from './exit-code.ts';
import { type MirrorFlags, resolveMirror } from './mirror-settings.ts';

export type { MirrorFlags } from './mirror-settings.ts';

/** `reknit mirror`: serves until it is told to end, which is no failure. @returns the exit code */
export async function mirror(words: readonly string[], flags: MirrorFlags): Promise<number> {
  const teller = new Teller(flags);
  try {
    const options = resolveMirror(words, flags);
    // Before anything is said: who reads that we listen may end us at once.
    const signals = new EndSignals();
    const running = await createMirror({ ...options, onEvent: teller.onEvent });
    teller.listening(running);
    if (!isLoopback(options.listen!.host!)) teller.complain({ event: 'exposed' }, exposed(options.listen!.host!));
    await signals.first;
    teller.say({ event: 'draining' }, 'draining: running requests may end');
    signals.onSecond = () => void running.close();
    await running.drain();
    teller.say({ event: 'ended' }, 'ended');
    signals.stop();
    return exitCodes.done;
  } catch (error) {
    return explain(error);
  } finally {
    teller.flush();
  }
}

function exposed(host: string): string {
  return `listening on ${host}: whoever reaches it can use the mirror, with the credentials that its upstreams were given`;
}

class EndSignals {
  readonly first: Promise<void>;
  onSecond: (() => void) | undefined;
  #tell!: () => void;
  #hasCome = false;

  constructor() {
    this.first = new Promise((resolve) => {
      this.#tell = resolve;
    });
    process.on('SIGTERM', this.#onSignal);
    process.on('SIGINT', this.#onSignal);
  }

  readonly #onSignal = (): void => {
    if (this.#hasCome) this.onSecond?.();
    this.#hasCome = true;
    this.#tell();
  };

  stop(): void {
    process.off('SIGTERM', this.#onSignal);
    process.off('SIGINT', this.#onSignal);
  }
}

/** A line for each request is written a moment later, with those of others: a write for each costs as much as an index. */
const MAX_LINE_WAIT_MS = 50;

class Teller {
  readonly #flags: MirrorFlags;
  #lines: string[] = [];
  #timer: Timer | undefined;

  constructor(flags: MirrorFlags) {
    this.#flags = flags;
  }

  listening(running: Mirror): void {
    const { url, origins } = running;
    const { cache } = running.status();
    const kept = cache === undefined ? 'nothing is kept' : `answers are kept in ${cache.folder}`;
    const lines = origins.map(({ name, upstreams, hints }) =>
      [`${name}  ${upstreams.join(', ')}`, ...hints.map((hint) => `    ${hint}`)].join('\n'),
    );
    this.say({ event: 'listening', url, origins, cache }, [`mirror at ${url}; ${kept}`, ...lines].join('\n'));
  }

  readonly onEvent = (event: MirrorEvent): void => {
    const { json = false, verbose = false, quiet = false } = this.#flags;
    if (event.type === 'trouble') this.complain(rowOf(event), `${event.message.replace(/\.$/, '')}${about(event)}`);
    else if ((json || verbose) && !quiet) {
      this.#add(rowOf(event), lineOf(event));
      this.#timer ??= systemRuntime.clock.after(MAX_LINE_WAIT_MS, this.flush, 'idle');
    }
  };

  say(event: object, text: string): void {
    if (this.#flags.quiet !== true) this.complain(event, text);
  }

  complain(event: object, text: string): void {
    this.#add(event, text);
    this.flush();
  }

  #add(event: object, text: string): void {
    this.#lines.push(this.#flags.json === true ? `${JSON.stringify(event)}\n` : `reknit: ${text}\n`);
  }

  readonly flush = (): void => {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#lines.length === 0) return;
    process.stderr.write(this.#lines.join(''));
    this.#lines = [];
  };
}

function rowOf({ type, ...rest }: MirrorEvent): object {
  return { event: type, ...rest };
}

function about({ origin, message, url }: MirrorEvent & { readonly type: 'trouble' }): string {
  const place = message.includes(url) ? '' : ` · ${url}`;
  return origin === '' ? place : ` (${origin})${place}`;
}

function lineOf(event: MirrorEvent & { readonly type: 'request' | 'fetch' }): string {
  if (event.type === 'fetch') {
    const tries = event.attempts === 1 ? '' : ` after ${event.attempts} attempts`;
    return `fetched ${event.url}: ${event.status}${tries}`;
  }
  const { method, target, status, bytes, durationMs, outcome, from } = event;
  const shown = target.length > 120 ? `${target.slice(0, 40)}…${target.slice(-78)}` : target;
  return `${method} ${shown}: ${status}, ${bytes} B in ${Math.round(durationMs)} ms, ${from}${outcome === 'complete' ? '' : `, ${outcome}`}`;
}

const cannotListen = ['EADDRINUSE', 'EADDRNOTAVAIL', 'EACCES', 'ENOTFOUND', 'EAI_AGAIN'];

function explain(error: unknown): number {
  const { code = '', message } = error as NodeJS.ErrnoException;
  if (error instanceof ConfigError) {
    process.stderr.write(`reknit: ${message}; see reknit mirror --help\n`);
    return exitCodes.usage;
  }
  if (code === 'ERR_REKNIT_LOCAL') {
    process.stderr.write(`reknit: ${message}; --cache names another folder, --no-cache keeps nothing\n`);
    return exitCodes.local;
  }
  if (!cannotListen.includes(code)) throw error;
  process.stderr.write(
    `reknit: Cannot listen (${message}); --listen HOST:PORT names another address, port 0 any free one\n`,
  );
  return exitCodes.local;
}
