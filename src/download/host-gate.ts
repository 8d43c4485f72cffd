/** One process at one host: who waits for a connection, who has one, and what the others have to know of it. */
import type { Runtime, Timer } from '../runtime/index.ts';
import {
  grantFor,
  type HostState,
  isSame,
  learn,
  type Member,
  type MemberId,
  type News,
  noNews,
  reviveHost,
} from './host-share.ts';
import type { HostStore } from './host-store.ts';
import type { ConnectionLease, ConnectionOutcome } from './limits.ts';
import { isGone, ownMark } from './process-mark.ts';

/** What is not urgent is told to the others at most so often. */
const TELL_MS = 250;
/** A look whether there is room now; it reads one small file. */
const LOOK_MS = 100;
const MAX_LOOK_MS = 400;
/** Silence would be taken for absence. */
const HEARTBEAT_MS = 15_000;
/** A connection that is kept open for the next request counts until it is closed, which is a little earlier (`client-defaults.ts`). */
export const COOL_MS = 300;

/** Why there is no connection yet. */
export type HostWait =
  | { readonly kind: 'pushback'; readonly untilMs: number }
  | { readonly kind: 'full'; readonly limit: number; readonly byOthers: number };

export interface GateSettings {
  readonly store: HostStore;
  /** The store cannot be used any more. */
  readonly fallBack: (error: unknown) => HostStore;
  readonly runtime: Runtime;
  readonly firstLimit: number;
}

export interface GateRequest {
  readonly signal?: AbortSignal | undefined;
  readonly isExtra?: boolean;
  readonly onWait?: ((wait: HostWait) => void) | undefined;
}

interface Waiter {
  readonly isExtra: boolean;
  readonly onWait: ((wait: HostWait) => void) | undefined;
  readonly resolve: (lease: ConnectionLease) => void;
  readonly reject: (error: unknown) => void;
  told: string;
}

let gateCount = 0;

export class HostGate {
  readonly #settings: GateSettings;
  readonly #id: MemberId;
  readonly #waiters = new Set<Waiter>();
  #store: HostStore;
  #state: HostState | undefined;
  /** Connections that are ours, in use or not. */
  #held = 0;
  #used = 0;
  #news: News = noNews;
  #waitsSinceMs = 0;
  #holdsSinceMs = 0;
  #syncing: Promise<void> | undefined;
  #syncAgain = false;
  #timer: Timer | undefined;
  #timerAtMs = Number.POSITIVE_INFINITY;
  #cool: Timer | undefined;
  #lookMs = LOOK_MS;
  #toldAtMs = Number.NEGATIVE_INFINITY;
  #isClosed = false;

  constructor(settings: GateSettings) {
    gateCount += 1;
    this.#settings = settings;
    this.#store = settings.store;
    this.#id = { ...ownMark(), n: gateCount };
  }

  get #nowMs(): number {
    return this.#settings.runtime.clock.wallMs();
  }

  acquire({ signal, isExtra = false, onWait }: GateRequest): Promise<ConnectionLease> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason);
        return;
      }
      const onAbort = () => {
        this.#waiters.delete(waiter);
        reject(signal?.reason);
        // What was asked for on its behalf goes back.
        this.#afterRelease();
      };
      const waiter: Waiter = {
        isExtra,
        onWait,
        reject: (error) => {
          signal?.removeEventListener('abort', onAbort);
          reject(error);
        },
        resolve: (lease) => {
          signal?.removeEventListener('abort', onAbort);
          resolve(lease);
        },
        told: '',
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      if (this.#firsts() === 0) this.#waitsSinceMs = this.#nowMs;
      this.#waiters.add(waiter);
      this.#handOut();
      if (this.#waiters.has(waiter)) this.#sync();
    });
  }

  #firsts(): number {
    return [...this.#waiters].filter(({ isExtra }) => !isExtra).length;
  }

  /** Who waits gets what is ours; downloads without a connection come first. */
  #handOut(): void {
    if (this.#isClosed || this.#held <= this.#used || this.#waiters.size === 0) return;
    if ((this.#state?.holdUntilMs ?? 0) > this.#nowMs) return;
    const share = this.#state === undefined ? this.#held : grantFor(this.#state, this.#id, this.#nowMs);
    const order = [...this.#waiters].sort((a, b) => Number(a.isExtra) - Number(b.isExtra));
    for (const waiter of order) {
      if (this.#used >= Math.min(this.#held, share)) return;
      this.#waiters.delete(waiter);
      this.#used += 1;
      waiter.resolve(this.#lease());
    }
  }

  #lease(): ConnectionLease {
    let begunAtMs = this.#nowMs;
    let isHeld = true;
    return {
      report: (outcome) => {
        this.#hear(outcome, begunAtMs);
        if (outcome.kind === 'failed') begunAtMs = this.#nowMs + outcome.delayMs;
      },
      release: () => {
        if (!isHeld) return;
        isHeld = false;
        this.#used -= 1;
        this.#handOut();
        this.#afterRelease();
      },
    };
  }

  #afterRelease(): void {
    if (this.#isClosed || this.#used >= this.#held) return;
    // Its connection may be open still.
    this.#cool ??= this.#settings.runtime.clock.after(
      COOL_MS,
      () => {
        this.#cool = undefined;
        this.#sync();
      },
      'idle',
    );
  }

  #hear(outcome: ConnectionOutcome, begunAtMs: number): void {
    if (this.#isClosed) return;
    const news = this.#news;
    if (outcome.kind === 'worked') {
      this.#news = { ...news, worked: news.worked + 1, bytes: news.bytes + outcome.bytes };
      this.#arm(TELL_MS);
      return;
    }
    const { failure } = outcome;
    const isRefused = refusalKinds.has(failure.kind) || failure.status === 503;
    const begun = { ...news, ...(isRefused ? { refusedBegunAtMs: begunAtMs } : {}) };
    const isCut = cutKinds.has(failure.kind);
    const away = failure.phase === 'body' ? {} : { turnedAwayBegunAtMs: begunAtMs };
    this.#news = isCut ? { ...begun, ...away, cuts: news.cuts + 1, cutBegunAtMs: begunAtMs } : begun;
    if (failure.pushbackMs !== undefined && failure.pushbackMs > 0) {
      const holdUntilMs = Math.max(news.holdUntilMs, this.#nowMs + failure.pushbackMs);
      this.#news = { ...this.#news, holdUntilMs };
    }
    if (isRefused) this.#sync();
    else if (isCut) this.#arm(TELL_MS);
  }

  // What the others have to know.

  #sync(): void {
    if (this.#isClosed) return;
    this.#syncAgain = true;
    this.#syncing ??= this.#syncAll().finally(() => {
      this.#syncing = undefined;
      if (this.#syncAgain) this.#sync();
    });
  }

  async #syncAll(): Promise<void> {
    while (this.#syncAgain && !this.#isClosed) {
      this.#syncAgain = false;
      await this.#syncOnce();
      this.#handOut();
      this.#tellWaiters();
    }
    this.#armNext();
  }

  async #syncOnce(): Promise<void> {
    const isCooling = this.#cool !== undefined;
    try {
      await this.#store.change((found) => {
        const state = this.#step(found, isCooling);
        this.#state = state;
        return state;
      });
    } catch (error) {
      this.#store.close();
      this.#store = this.#settings.fallBack(error);
      this.#state = undefined;
      this.#syncAgain = true;
    }
    this.#toldAtMs = this.#nowMs;
  }

  /** Our own truth into the common one, and what it grants us out of it. Runs in one go. */
  #step(found: HostState | undefined, isCooling: boolean): HostState {
    const nowMs = this.#nowMs;
    const before = withFirstLimit(reviveHost(found, nowMs), found, this.#settings.firstLimit);
    const others = before.members.filter((member) => !isSame(member, this.#id) && !isGone(member));
    if (this.#held === 0) this.#holdsSinceMs = nowMs;
    // What cools is given back; who is about to take it again only asks.
    const kept = isCooling ? this.#held : this.#used;
    const news = this.#news;
    this.#news = noNews;
    const learned = learn({ ...before, members: [...others, this.#member(kept, nowMs)] }, news, nowMs);
    this.#held = Math.max(kept, grantFor(learned, this.#id, nowMs));
    if (this.#held === 0 && this.#waiters.size === 0) return { ...learned, members: others };
    const waiting = Math.max(0, this.#firsts() - (this.#held - this.#used));
    return { ...learned, members: [...others, { ...this.#member(this.#held, nowMs), waiting }] };
  }

  #member(held: number, nowMs: number): Member {
    const firsts = this.#firsts();
    const spare = held - this.#used;
    return {
      ...this.#id,
      seenAtMs: nowMs,
      held,
      waiting: Math.max(0, firsts - spare),
      extras: Math.max(0, this.#waiters.size - firsts - Math.max(0, spare - firsts)),
      waitsSinceMs: this.#waitsSinceMs,
      holdsSinceMs: this.#holdsSinceMs,
    };
  }

  // Waiting.

  #armNext(): void {
    if (this.#isClosed) return;
    const nowMs = this.#nowMs;
    if (this.#waiters.size > 0) {
      const holdMs = (this.#state?.holdUntilMs ?? 0) - nowMs;
      const { random } = this.#settings.runtime;
      // Not all at once when a pause ends.
      this.#arm(holdMs > 0 ? holdMs + random() * LOOK_MS : this.#lookMs * (0.5 + random()));
    } else if (this.#held > 0) this.#arm(HEARTBEAT_MS);
  }

  /** Of several wishes the earliest counts. Only waiting keeps the process alive. */
  #arm(delayMs: number): void {
    if (this.#isClosed) return;
    const nowMs = this.#nowMs;
    this.#timer?.cancel();
    this.#timerAtMs = Math.min(this.#timerAtMs, nowMs + delayMs);
    const kind = this.#waiters.size > 0 ? 'busy' : 'idle';
    this.#timer = this.#settings.runtime.clock.after(Math.max(1, this.#timerAtMs - nowMs), () => this.#look(), kind);
  }

  /** Takes the lock only for what is worth it: many may wait. */
  #look(): void {
    this.#timer = undefined;
    this.#timerAtMs = Number.POSITIVE_INFINITY;
    const nowMs = this.#nowMs;
    const isNews = this.#news !== noNews || nowMs - this.#toldAtMs > HEARTBEAT_MS - TELL_MS;
    if (isNews || this.#mayGetMore(nowMs)) {
      this.#lookMs = LOOK_MS;
      this.#sync();
      return;
    }
    this.#lookMs = Math.min(MAX_LOOK_MS, this.#lookMs * 1.5);
    this.#handOut();
    this.#tellWaiters();
    this.#armNext();
  }

  #mayGetMore(nowMs: number): boolean {
    if (this.#waiters.size === 0) return false;
    const found = this.#store.peek();
    if (found === undefined) return true;
    const { holdUntilMs } = found;
    if (holdUntilMs > nowMs) {
      this.#state = found;
      return false;
    }
    const members = found.members.filter((member) => !isGone(member));
    this.#state = { ...found, members };
    if (!members.some((member) => isSame(member, this.#id))) return true;
    // Growth is decided where news are told; a full host is looked at again from time to time.
    const isOld = nowMs - this.#toldAtMs > TELL_MS * 4;
    return isOld || grantFor(this.#state, this.#id, nowMs) > this.#held;
  }

  #tellWaiters(): void {
    if (this.#waiters.size === 0 || this.#state === undefined) return;
    const { holdUntilMs, limit, members } = this.#state;
    const byOthers = members.filter((one) => !isSame(one, this.#id)).reduce((sum, { held }) => sum + held, 0);
    const wait: HostWait =
      holdUntilMs > this.#nowMs ? { kind: 'pushback', untilMs: holdUntilMs } : { kind: 'full', limit, byOthers };
    const mark = wait.kind === 'pushback' ? String(wait.untilMs) : wait.kind;
    for (const waiter of this.#waiters) {
      if (waiter.told === mark) continue;
      waiter.told = mark;
      waiter.onWait?.(wait);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#cool?.cancel();
    for (const waiter of this.#waiters) waiter.reject(new Error('the limits were closed'));
    this.#waiters.clear();
    await this.#syncing;
    const nowMs = this.#nowMs;
    const news = this.#news;
    if (this.#state !== undefined) {
      await this.#store
        .change((found) => {
          const state = learn(reviveHost(found, nowMs), news, nowMs);
          return { ...state, members: state.members.filter((member) => !isSame(member, this.#id) && !isGone(member)) };
        })
        .catch(() => {});
    }
    this.#store.close();
  }
}

/** Who asks for more from the beginning gets it, as long as nothing is known of the host. */
function withFirstLimit(state: HostState, found: HostState | undefined, firstLimit: number): HostState {
  const isUntouched = state.loweredAtMs === 0 && state.ceiling === undefined && state.tried === undefined;
  const limit = found === undefined ? firstLimit : Math.max(state.limit, firstLimit);
  return isUntouched && limit !== state.limit ? { ...state, limit } : state;
}

/** The host itself says that we are too many. */
const refusalKinds: ReadonlySet<string> = new Set([
  'throttled',
  'h2-goaway',
  'h2-calm',
  'proxy-throttled',
  'too-many-files',
]);

/** Something ends connections, or is silent on them. */
const cutKinds: ReadonlySet<string> = new Set([
  'refused',
  'reset',
  'closed',
  'timed-out',
  'tls-handshake',
  'truncated',
  'connect-timeout',
  'headers-timeout',
  'stall',
  'h2-refused',
  'h2-stream-error',
  'proxy-unavailable',
]);
