/** Those who read: undici's old handler face over our dispatchers, a follower of redirects like `fetch`, and whole bodies. */
import { type Ledger, resolvePolicy } from '../../src/core/index.ts';
import { CallDispatcher, createShared } from '../../src/http/healing.ts';
import type { Shared } from '../../src/http/life.ts';
import type { BodySource } from '../../src/http/request-body.ts';
import { resolveRules } from '../../src/http/request-options.ts';
import type { DispatchOptions, Transport } from '../../src/http/transport.ts';
import { fetchWhole } from '../../src/http/whole.ts';
import { seededRandom } from '../../src/runtime/index.ts';
import type { CountedClock } from './counted-clock.ts';
import type { RequestPlan, Schedule } from './schedule.ts';

export const LIMITS = { connectMs: 500, headersMs: 1_000, stallMs: 1_000 } as const;
/** Of one reader: pauses are long, and pieces may be many. */
const MAX_PAUSES = 40;
export const URL_ORIGIN = 'http://origin.test';

export type Ending =
  | { readonly kind: 'complete' }
  | { readonly kind: 'error'; readonly error: unknown }
  | { readonly kind: 'open' };

/** What the consumer saw. */
export class Sight {
  ending: Ending = { kind: 'open' };
  /** How often it was told the end. */
  endings = 0;
  endedAtMs: number | undefined;
  status: number | undefined;
  readonly chunks: Buffer[] = [];
  bytes = 0;
  /** Sentences about rules that were broken under its eyes. */
  readonly breaches: string[] = [];
  isAborted = false;
  ledger: Ledger | undefined;

  get body(): Buffer {
    return Buffer.concat(this.chunks);
  }

  end(ending: Ending, nowMs: number): void {
    this.endings += 1;
    this.ending = ending;
    this.endedAtMs = nowMs;
  }
}

export class AbortReason extends Error {}

export interface Client {
  readonly shared: Shared;
  readonly clock: CountedClock;
}

export function createClient(schedule: Schedule, clock: CountedClock, transport: Transport): Client {
  const { maxAttempts, capacity, minProgressBytes } = schedule.policy;
  const policy = resolvePolicy(
    {
      retry: {
        maxAttempts,
        baseDelayMs: 100,
        maxDelayMs: 2_000,
        throttleDelayMs: 200,
        maxPushbackMs: 60_000,
        minProgressBytes,
      },
      timeouts: { ...LIMITS, minBytesPerSecond: 100 },
      budget: { capacity, ratio: 0.2 },
    },
    'simulate',
  );
  const runtime = { clock, random: seededRandom(schedule.seed) };
  return { clock, shared: createShared({ policy, runtime, transport, isGentle: false, onEvent: undefined }) };
}

export const bodyOf = (bytes: number): Buffer => Buffer.alloc(bytes, 'request-body.');

function sourceOf(plan: RequestPlan, clock: CountedClock): BodySource {
  const whole = bodyOf(plan.bodyBytes);
  const parts = [0, 1, 2].map((part) => whole.subarray((part * whole.length) / 3, ((part + 1) * whole.length) / 3));
  switch (plan.body) {
    case 'none':
      return null;
    case 'string':
      return whole.toString();
    case 'one-shot':
      return (async function* () {
        yield* parts;
      })();
    case 'slow-one-shot':
      return (async function* () {
        for (const part of parts) {
          await new Promise<void>((resolve) => clock.outside(40, resolve));
          yield part;
        }
      })();
    case 'factory':
      return () =>
        (async function* () {
          yield* parts;
        })();
    case 'iterable':
      return parts;
    case 'failing-factory': {
      let made = 0;
      return () => {
        made += 1;
        if (made > 1) throw new Error('the file is gone');
        return whole;
      };
    }
  }
}

/** Dispatch itself takes no functions: they ride in the rules. */
function isFactory({ body }: RequestPlan): boolean {
  return body === 'factory' || body === 'failing-factory';
}

function headersOf(plan: RequestPlan): string[] {
  return [
    ...(plan.range === undefined ? [] : ['range', plan.range]),
    ...(plan.idempotencyKey ? ['Idempotency-Key', 'k-1'] : []),
  ];
}

export function consume(schedule: Schedule, client: Client): Sight {
  const sight = new Sight();
  if (schedule.consumer.kind === 'whole') consumeWhole(schedule, client, sight);
  else new Reader(schedule, client, sight).begin();
  return sight;
}

function consumeWhole({ request, consumer }: Schedule, { shared, clock }: Client, sight: Sight): void {
  const stop = new AbortController();
  const { abort } = consumer;
  if (abort !== undefined && 'atMs' in abort) {
    clock.outside(abort.atMs, () => {
      if (sight.endings > 0) return;
      sight.isAborted = true;
      stop.abort(new AbortReason());
    });
  }
  const options = {
    method: request.method,
    headers: { 'accept-encoding': 'identity', ...Object.fromEntries(pairs(headersOf(request))) },
    signal: stop.signal,
    deadlineMs: request.deadlineMs,
    replayBufferBytes: request.replayBufferBytes,
    ...(request.mayOverlapBlindly ? { resumeWithoutValidator: 'overlap' as const } : {}),
    ...(request.body === 'none' ? {} : { body: sourceOf(request, clock) }),
  };
  fetchWhole(shared, `${URL_ORIGIN}/file`, options, (answer) => {
    sight.status = answer.status;
    sight.chunks.push(answer.body);
    sight.ledger = answer.ledger;
    return { kind: 'value', value: undefined };
  }).then(
    () => sight.end({ kind: 'complete' }, clock.nowMs()),
    (error: unknown) => {
      sight.ledger ??= (error as { ledger?: Ledger }).ledger;
      sight.end({ kind: 'error', error }, clock.nowMs());
    },
  );
}

function pairs(flat: readonly string[]): [string, string][] {
  return flat.flatMap((name, i) => (i % 2 === 0 ? [[name, flat[i + 1]!] as [string, string]] : []));
}

/** A handler with the old face, which pauses, aborts and changes what it was given. */
class Reader {
  readonly #schedule: Schedule;
  readonly #client: Client;
  readonly #sight: Sight;
  readonly #dispatcher: CallDispatcher;
  #abort: (reason?: unknown) => void = () => {};
  #isPaused = false;
  #seen = 0;
  #pauses = 0;
  #location: string | undefined;
  #follows = 0;

  constructor(schedule: Schedule, client: Client, sight: Sight) {
    this.#schedule = schedule;
    this.#client = client;
    this.#sight = sight;
    const { request, consumer } = schedule;
    const own = this.#ownOptions();
    const rules = resolveRules(own, client.shared.policy, {
      followRedirects: consumer.kind === 'call',
      redirectsAbove: consumer.kind === 'fetch',
      bodySource: consumer.kind === 'dispatch' && !isFactory(request) ? undefined : sourceOf(request, client.clock),
    });
    this.#dispatcher = new CallDispatcher(client.shared, rules);
  }

  #ownOptions() {
    const { request } = this.#schedule;
    return {
      deadlineMs: request.deadlineMs,
      replayBufferBytes: request.replayBufferBytes,
      ...(request.mayOverlapBlindly ? { resumeWithoutValidator: 'overlap' as const } : {}),
    };
  }

  begin(): void {
    const { request, consumer } = this.#schedule;
    const { abort } = consumer;
    if (abort !== undefined && 'atMs' in abort) this.#client.clock.outside(abort.atMs, () => this.#abortNow());
    const body = request.body === 'none' ? null : sourceOf(request, this.#client.clock);
    this.#dispatch({
      origin: URL_ORIGIN,
      path: '/file',
      method: request.method,
      headers: headersOf(request),
      body: (typeof body === 'function' ? 'any' : body) as never,
    });
  }

  #dispatch(options: DispatchOptions): void {
    this.#dispatcher.dispatch(options, this as never);
    this.#sight.ledger = this.#dispatcher.life?.ledger;
  }

  #abortNow(): void {
    const sight = this.#sight;
    if (sight.endings > 0) return;
    sight.isAborted = true;
    const reason = new AbortReason();
    this.#abort(reason);
    if (sight.ending.kind !== 'error' || sight.ending.error !== reason)
      sight.breaches.push('an abort did not settle at once');
  }

  onConnect(abort: (reason?: unknown) => void): void {
    this.#abort = abort;
  }

  onResponseStarted(): void {}

  onHeaders(status: number, headers: Buffer[], resume: () => void): boolean {
    this.#check('headers');
    this.#sight.status = status;
    this.#resume = resume;
    this.#location = undefined;
    if (this.#schedule.consumer.kind === 'fetch' && status >= 300 && status < 400) {
      const at = headers.findIndex((name, i) => i % 2 === 0 && String(name) === 'location');
      this.#location = at < 0 ? undefined : String(headers[at + 1]);
    }
    return true;
  }

  #resume: () => void = () => {};

  onData(chunk: Buffer): boolean {
    this.#check('data');
    if (this.#location !== undefined) return true;
    const { pausesEvery, pauseMs, abort } = this.#schedule.consumer;
    if (chunk.length === 0) this.#sight.breaches.push('an empty chunk was delivered');
    this.#sight.chunks.push(Buffer.from(chunk));
    this.#sight.bytes += chunk.length;
    // What was handed over is the consumer's: it may change it.
    chunk.fill(0xee);
    this.#seen += 1;
    if (abort !== undefined && 'atChunk' in abort && this.#seen === abort.atChunk) {
      this.#abortNow();
      return true;
    }
    if (pausesEvery === 0 || this.#seen % pausesEvery !== 0 || this.#pauses === MAX_PAUSES) return true;
    this.#pauses += 1;
    this.#isPaused = true;
    this.#client.clock.outside(pauseMs, () => {
      this.#isPaused = false;
      this.#resume();
    });
    return false;
  }

  #check(what: string): void {
    if (this.#isPaused) this.#sight.breaches.push(`${what} came while the reader was paused`);
    if (this.#sight.endings > 0) this.#sight.breaches.push(`${what} came after the end`);
  }

  onComplete(): void {
    if (this.#location !== undefined && this.#follows < 20) {
      this.#follows += 1;
      this.#follow(this.#location);
      return;
    }
    this.#sight.end({ kind: 'complete' }, this.#client.clock.nowMs());
  }

  /** As `fetch` does: only what needs no body is followed here. */
  #follow(location: string): void {
    if (!URL.canParse(location, URL_ORIGIN)) {
      // As our own `fetch` does when the platform's fails above it.
      this.#dispatcher.life?.end('failed');
      this.#sight.end({ kind: 'error', error: new Error('bad location') }, this.#client.clock.nowMs());
      return;
    }
    const target = new URL(location, URL_ORIGIN);
    const { request } = this.#schedule;
    const isSame = request.method === 'GET' || request.method === 'HEAD';
    this.#dispatch({
      origin: target.origin,
      path: target.pathname,
      method: isSame ? request.method : 'GET',
      headers: headersOf({ ...request, idempotencyKey: false }),
      body: null,
    });
  }

  onError(error: unknown): void {
    this.#sight.ledger ??= (error as { ledger?: Ledger }).ledger;
    this.#sight.end({ kind: 'error', error }, this.#client.clock.nowMs());
  }
}
