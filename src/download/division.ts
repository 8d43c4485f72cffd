/**
 * One file over several connections: each has a part, pinned to the same version; parts are given, split and taken over
 * as `segment-plan` says, by as many connections as `connection-count` finds worth it.
 */
import type { Failure, ReknitEvent } from '../core/index.ts';
import { systemRuntime, type Timer } from '../runtime/index.ts';
import { beginCounting, type CountState, lookAgain, shrink } from './connection-count.ts';
import type { Destination } from './destination.ts';
import type { ConnectionLease, Pace } from './limits.ts';
import { LocalError } from './local-error.ts';
import { RangeProof } from './range-proof.ts';
import { type ByteRange, type ByteRanges, sizeOf, withoutRange } from './ranges.ts';
import { Segment } from './segment.ts';
import { type Assignment, assign, partBytes } from './segment-plan.ts';

/** With less missing than this, another connection is not worth its handshake. */
export const MIN_DIVIDED_BYTES = 8 * 1_048_576;
const TICK_MS = 50;
/** New bytes that make a failure one of the line, not of too many connections. */
const PROGRESS_BYTES = 65_536;
const MAX_DOUBTS = 2;

export type SegmentAnswer =
  | { readonly kind: 'part'; readonly body: AsyncIterable<Buffer>; readonly skipBytes: number }
  | { readonly kind: 'changed'; readonly what: string }
  | { readonly kind: 'doubt'; readonly what: string }
  | { readonly kind: 'no-ranges'; readonly what: string };

export interface DivisionJob {
  readonly destination: Destination;
  readonly totalBytes: number;
  /** Wanted at once, and at most. */
  readonly connections: { readonly first: number; readonly max: number };
  readonly signal: AbortSignal;
  readonly pace: Pace | undefined;
  acquire(signal: AbortSignal, isExtra: boolean): Promise<ConnectionLease>;
  open(range: ByteRange, signal: AbortSignal, onEvent: (event: ReknitEvent) => void): Promise<SegmentAnswer>;
  onProgress(connections: number): void;
  /** The only connection left is in trouble: what to end with where there is something better than its own patience. */
  onLastInTrouble(failure: Failure): Error | undefined;
}

/** The answer that came first: it brings everything from `atByte` on. */
export interface FirstAnswer {
  readonly body: AsyncIterable<Buffer>;
  readonly skipBytes: number;
  readonly range: ByteRange;
  readonly wireEndByte: number;
  /** It is a part itself, so that ranges are known to be honoured. */
  readonly isPart: boolean;
  readonly lease: ConnectionLease;
}

export type DivisionEnd =
  | { readonly kind: 'complete' }
  | { readonly kind: 'changed'; readonly what: string }
  /** Ranges cannot be relied on: one connection has to bring the rest. */
  | { readonly kind: 'single'; readonly what: string };

export class Division {
  readonly #job: DivisionJob;
  readonly #segments = new Set<Segment>();
  readonly #runs = new Set<Promise<void>>();
  readonly #ended: Promise<DivisionEnd>;
  #resolve!: (end: DivisionEnd) => void;
  #reject!: (error: unknown) => void;
  #hasEnded = false;
  #count: CountState;
  #timer: Timer | undefined;
  #tickedAtMs: number;
  #receivedBytes = 0;
  #heldBackMs = 0;
  #doubts = 0;
  #first: Segment | undefined;
  #ranges = new RangeProof(true);
  #lastFailure: Failure | undefined;
  /** Opened beside the first one. */
  openedCount = 0;
  /** The most at the same time. */
  peakCount = 1;

  constructor(job: DivisionJob) {
    this.#job = job;
    const { first, max } = job.connections;
    this.#count = beginCounting(first, max, this.#nowMs);
    this.#tickedAtMs = this.#nowMs;
    this.#ended = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  get #nowMs(): number {
    return systemRuntime.clock.nowMs();
  }

  /** @throws what ended it: an abort, the disk, or the failure of the last connection */
  async run(first: FirstAnswer): Promise<DivisionEnd> {
    const { signal } = this.#job;
    const onAbort = () => this.#fail(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      const segment = new Segment(first.range, this.#nowMs);
      this.#first = segment;
      this.#ranges = new RangeProof(first.isPart);
      segment.wireEndByte = first.wireEndByte;
      segment.lease = first.lease;
      const { body, skipBytes } = first;
      this.#start(segment, async () => ({ kind: 'part', body, skipBytes }));
      this.#armTick();
      this.#fill();
      return await this.#ended;
    } finally {
      signal.removeEventListener('abort', onAbort);
      this.#timer?.cancel();
      for (const segment of this.#segments) segment.drop();
      // What they have brought is written before anything else is done with the file.
      await Promise.all(this.#runs);
    }
  }

  /** What a request for the first answer tells goes to its part. */
  readonly onFirstEvent = (event: ReknitEvent): void => {
    if (this.#first !== undefined && !this.#first.isDropped) this.#onEvent(this.#first, event);
  };

  #end(end: DivisionEnd): void {
    this.#hasEnded = true;
    this.#resolve(end);
  }

  #fail(error: unknown): void {
    this.#hasEnded = true;
    this.#reject(error);
  }

  // Connections.

  #fill(): void {
    while (!this.#hasEnded && this.#segments.size < this.#count.target) {
      const taken = [...this.#segments].map((one) => one.taken(this.#nowMs));
      const assignment = assign({ gaps: this.#freeGaps(), taken, totalBytes: this.#job.totalBytes });
      if (assignment === undefined) return;
      this.#give(assignment);
    }
  }

  #give(assignment: Assignment): void {
    if (assignment.kind === 'split') {
      const holder = [...this.#segments][assignment.holder]!;
      holder.endByte = assignment.range.from;
      if (assignment.isWhole) holder.drop();
    }
    const segment = new Segment(assignment.range, this.#nowMs);
    this.openedCount += 1;
    this.#start(segment, () => {
      segment.ask();
      const range = { from: segment.fromByte, to: segment.endByte };
      return this.#job.open(range, segment.stop.signal, (event) => this.#onEvent(segment, event));
    });
  }

  #freeGaps(): ByteRanges {
    const { destination, totalBytes } = this.#job;
    let gaps = destination.gaps(totalBytes);
    for (const { fromByte, endByte } of this.#segments) gaps = withoutRange(gaps, { from: fromByte, to: endByte });
    return gaps;
  }

  #start(segment: Segment, open: () => Promise<SegmentAnswer>): void {
    this.#segments.add(segment);
    this.peakCount = Math.max(this.peakCount, this.#segments.size);
    const run = this.#run(segment, open).finally(() => this.#runs.delete(run));
    this.#runs.add(run);
  }

  async #run(segment: Segment, open: () => Promise<SegmentAnswer>): Promise<void> {
    try {
      segment.lease ??= await this.#acquire(segment);
      segment.lastByteAtMs = this.#nowMs;
      const answer = await open();
      if (answer.kind === 'part' && segment !== this.#first) this.#ranges.learn();
      if (answer.kind === 'part') await this.#pump(segment, answer);
      this.#segments.delete(segment);
      if (answer.kind === 'part') this.#onBrought(segment);
      else if (!segment.isDropped) this.#onRefused(answer);
    } catch (error) {
      this.#segments.delete(segment);
      this.#onError(segment, error);
    } finally {
      const { lease } = segment;
      if (segment.hasBytes) lease?.report({ kind: 'worked', bytes: segment.atByte - segment.fromByte });
      lease?.release();
      this.#goOn();
      this.#ranges.tell();
    }
  }

  #acquire(segment: Segment): Promise<ConnectionLease> {
    const isExtra = [...this.#segments].some(({ lease }) => lease !== undefined);
    return this.#job.acquire(segment.stop.signal, isExtra);
  }

  #goOn(): void {
    if (this.#hasEnded) return;
    this.#fill();
    if (this.#segments.size > 0) return;
    if (this.#job.destination.gaps(this.#job.totalBytes).length === 0) this.#end({ kind: 'complete' });
    else this.#end({ kind: 'single', what: 'the rest cannot be had in parts' });
  }

  // Bytes.

  async #pump(segment: Segment, { body, skipBytes }: SegmentAnswer & { readonly kind: 'part' }): Promise<void> {
    const writer = this.#job.destination.writerAt(segment.atByte);
    let toSkip = skipBytes;
    try {
      for await (const received of body) {
        const { length } = received;
        const skipped = Math.min(toSkip, length);
        toSkip -= skipped;
        this.#receivedBytes += length;
        segment.lastByteAtMs = this.#nowMs;
        if (this.#isLeaving(segment, length - skipped)) await this.#untilRangesAreKnown(segment);
        const chunk = received.subarray(skipped, Math.min(length, skipped + this.#roomOf(segment, length - skipped)));
        segment.atByte += chunk.length;
        const room = writer.write(chunk);
        if (room !== undefined) await this.#heldBack(segment, room);
        const paid = this.#job.pace?.pay(length, segment.stop.signal);
        if (paid !== undefined) await this.#heldBack(segment, paid);
        this.#job.onProgress(this.#segments.size);
        // An answer that ends here by itself leaves its connection to the next one.
        if (segment.isDropped || (segment.atByte >= segment.endByte && segment.endByte < segment.wireEndByte)) break;
      }
    } finally {
      await writer.end();
    }
  }

  /** So many bytes bring it to the end of its part, and its answer would bring more. */
  #isLeaving(segment: Segment, bytes: number): boolean {
    return segment.atByte + bytes >= segment.endByte && segment.endByte < segment.wireEndByte;
  }

  /** How much of so many bytes belongs to the part, which goes on where nobody has what follows. */
  #roomOf(segment: Segment, bytes: number): number {
    const { destination, totalBytes } = this.#job;
    if (this.#isLeaving(segment, bytes)) {
      this.#overtakeWaiting(segment);
      const next = this.#freeGaps().find(({ from }) => from === segment.endByte);
      const rate = segment.taken(this.#nowMs).bytesPerSecond;
      if (next !== undefined && destination.gaps(totalBytes).length > 0) {
        segment.endByte = Math.min(next.to, segment.wireEndByte, segment.endByte + partBytes(rate));
      }
    }
    return Math.min(bytes, segment.endByte - segment.atByte);
  }

  /** What follows belongs to one that has no connection yet: it gets what comes behind, if there is anything. */
  #overtakeWaiting(segment: Segment): void {
    const waiting = [...this.#segments].find((one) => one.lease === undefined && one.fromByte === segment.endByte);
    if (waiting === undefined || waiting.isDropped) return;
    const toByte = Math.min(waiting.endByte, segment.wireEndByte);
    segment.endByte = toByte;
    const rest = { from: toByte, to: waiting.endByte };
    const [gap] = this.#freeGaps().filter(({ from }) => from >= toByte);
    const next = rest.from < rest.to ? rest : gap;
    if (next === undefined) waiting.drop();
    else waiting.moveTo({ from: next.from, to: Math.min(next.to, next.from + partBytes(0)) }, this.#nowMs);
  }

  /** An answer that brings everything is kept until another one has brought a part, or nobody is left who may. */
  async #untilRangesAreKnown(segment: Segment): Promise<void> {
    const isAsked = () => [...this.#segments].some((one) => one !== segment && one.isAsked && !one.isDropped);
    while (!this.#ranges.isKnown && !segment.isDropped && isAsked()) await this.#heldBack(segment, this.#ranges.next());
  }

  async #heldBack(segment: Segment, room: Promise<void>): Promise<void> {
    const sinceMs = this.#nowMs;
    segment.isHeldBack = true;
    try {
      await room;
    } finally {
      segment.isHeldBack = false;
      segment.lastByteAtMs = this.#nowMs;
      this.#heldBackMs += (this.#nowMs - sinceMs) / Math.max(1, this.#segments.size);
    }
  }

  // Ends of parts.

  #onBrought(segment: Segment): void {
    if (segment.isDropped || segment.hasBytes) return;
    this.#refuse({ kind: 'doubt', what: 'a part without a new byte' });
  }

  #onRefused(answer: Exclude<SegmentAnswer, { readonly kind: 'part' }>): void {
    if (answer.kind === 'changed') this.#end(answer);
    else this.#refuse(answer);
  }

  /** Ranges that are answered wrongly: once may be a middlebox; then, whoever brings everything brings it alone. */
  #refuse(answer: SegmentAnswer & { readonly kind: 'doubt' | 'no-ranges' }): void {
    this.#doubts += 1;
    this.#shrink(0);
    if (answer.kind === 'doubt' && this.#doubts < MAX_DOUBTS && this.#segments.size > 0) return;
    const whole = [...this.#segments].find(
      (one) => one.wireEndByte >= this.#job.totalBytes && this.#reachesEnd(one) && !one.isDropped,
    );
    if (whole === undefined) {
      this.#end({ kind: 'single', what: answer.what });
      return;
    }
    for (const segment of this.#segments) if (segment !== whole) segment.drop();
    whole.endByte = this.#job.totalBytes;
    this.#count = beginCounting(1, 1, this.#nowMs);
  }

  /** All that is missing is still before it. */
  #reachesEnd(segment: Segment): boolean {
    const [first] = this.#job.destination.gaps(this.#job.totalBytes);
    return first === undefined || first.from >= segment.fromByte;
  }

  #onError(segment: Segment, error: unknown): void {
    if (this.#hasEnded || (segment.isDropped && !(error instanceof LocalError))) return;
    const isOurs = error instanceof LocalError || this.#job.signal.aborted;
    if (isOurs || this.#segments.size === 0) this.#fail(error);
    else this.#shrink(0);
  }

  // Trouble.

  #onEvent(segment: Segment, event: ReknitEvent): void {
    if (event.type === 'failure') this.#lastFailure = event.failure;
    if (event.type !== 'wait' || this.#lastFailure === undefined) return;
    segment.waitsUntilMs = this.#nowMs + event.delayMs;
    const isProgress = segment.atByte - segment.failedAtByte >= PROGRESS_BYTES;
    segment.failedAtByte = segment.atByte;
    if (isProgress) return;
    const failure = this.#lastFailure;
    segment.lease?.report({ kind: 'failed', failure, delayMs: event.delayMs });
    // Not within the client's own step.
    queueMicrotask(() => this.#onTrouble(segment, failure, event.delayMs));
  }

  /** A connection that comes to nothing while others work is one too many; the last one has the client's patience. */
  #onTrouble(segment: Segment, failure: Failure, delayMs: number): void {
    if (this.#hasEnded || segment.isDropped || !this.#segments.has(segment)) return;
    const others = [...this.#segments].filter((one) => one !== segment && one.isFlowing(this.#nowMs));
    if (others.length > 0) {
      this.#shrink(delayMs);
      segment.drop();
    } else if (this.#segments.size === 1) {
      const better = this.#job.onLastInTrouble(failure);
      if (better !== undefined) this.#fail(better);
    }
  }

  #shrink(delayMs: number): void {
    this.#count = shrink(this.#count, this.#segments.size, this.#nowMs, delayMs);
  }

  // Time.

  #armTick(): void {
    this.#timer = systemRuntime.clock.after(TICK_MS, () => this.#tick(), 'idle');
  }

  #tick(): void {
    if (this.#hasEnded) return;
    const nowMs = this.#nowMs;
    const elapsedMs = Math.max(1, nowMs - this.#tickedAtMs);
    this.#tickedAtMs = nowMs;
    for (const segment of this.#segments) segment.look(elapsedMs);
    const { destination, totalBytes } = this.#job;
    const flowing = [...this.#segments].filter((one) => one.isFlowing(nowMs)).length;
    if (flowing > 0) this.#leaveSilent(nowMs);
    const missingBytes = sizeOf(destination.gaps(totalBytes));
    this.#count = lookAgain(this.#count, {
      nowMs,
      receivedBytes: this.#receivedBytes,
      heldBackMs: this.#heldBackMs,
      flowing,
      mayGrow: missingBytes > MIN_DIVIDED_BYTES,
    });
    this.#fill();
    this.#armTick();
  }

  /** A fresh connection brings what a silent one does not, long before its stall timeout. */
  #leaveSilent(nowMs: number): void {
    for (const segment of this.#segments) {
      const isWaiting = segment.waitsUntilMs > nowMs || segment.lease === undefined;
      if (segment.isSilent(nowMs) && !isWaiting && !segment.isDropped) {
        if (!segment.hasBytes) this.#shrink(0);
        segment.drop();
      }
    }
  }
}
