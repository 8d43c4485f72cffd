/**
 * One download from its first request to proven bytes. The client heals bodies; what it cannot heal comes here, where
 * the bytes can be thrown away: `retry` counts the attempts of both in one ledger.
 */
import {
  ContentChangedError,
  type Failure,
  GaveUpError,
  type Integrity,
  IntegrityError,
  type Ledger,
  type Origin,
  redactUrl,
} from '../core/index.ts';
import { type ClientResponse, type OperationContext, type ReknitEvent, retry } from '../http/index.ts';
import { systemRuntime } from '../runtime/index.ts';
import { type AnswerVerdict, type Ask, judgeAnswer, planAsk } from './answer.ts';
import { describeDifference } from './block-digests.ts';
import type { Destination } from './destination.ts';
import { type Divided, divide } from './divide.ts';
import { type Division, type DivisionEnd, MIN_DIVIDED_BYTES } from './division.ts';
import { EndProber } from './end-prober.ts';
import type { Pin } from './journal.ts';
import type { ConnectionLease } from './limits.ts';
import { type EndFacts, freshMemory, judgeEnd } from './proof.ts';
import { sizeOf } from './ranges.ts';
import { Requests } from './requests.ts';
import { Sources } from './sources.ts';
import { Distrust, type Trust } from './suspicion.ts';
import {
  type About,
  Final,
  failedAttempt,
  isStuckResume,
  refused,
  SourceFailed,
  wrongContent,
} from './transfer-failures.ts';
import type { TransferJob, TransferOutcome } from './transfer-job.ts';

export async function transfer(job: TransferJob, destination: Destination): Promise<TransferOutcome> {
  const running = new Transfer(job, destination);
  try {
    return await retry((context) => running.attempt(context), {
      client: job.client,
      signal: job.signal,
      method: 'GET',
      name: job.url,
      onEvent: job.onEvent,
    });
  } catch (error) {
    throw error instanceof Final ? error.inner : error;
  }
}

/** New bytes that make a failure one of the line, and not of this address. */
const PROGRESS_BYTES = 65_536;

class Transfer {
  readonly #job: TransferJob;
  readonly #destination: Destination;
  readonly #requests: Requests;
  readonly #sources: Sources;
  readonly #prober: EndProber;
  #pin: Pin | undefined;
  #totalBytes: number | undefined;
  /** The answer may end before the whole does. */
  #isPart = false;
  /** Where its last byte is, where it says so. */
  #answerEndByte: number | undefined;
  #memory = freshMemory;
  #doubts = 0;
  #restarts = 0;
  readonly #distrust = new Distrust();
  #lastTrust: Trust | undefined;
  #integrity: Integrity | undefined;
  #ledger: Ledger | undefined;
  /** Of a whole content that was wrong. */
  #wrongBlocks: readonly string[] | undefined;
  #notes: string[] = [];
  /** Ranges were answered wrongly, or the bytes that they brought were wrong. */
  #isSingle = false;
  #division: Division | undefined;
  /** Bytes were joined by an overlap: that the end is right does not say that the whole is. */
  #hasGuessedJoint = false;
  #connections = 1;
  #peakConnections = 1;

  constructor(job: TransferJob, destination: Destination) {
    this.#job = job;
    this.#destination = destination;
    this.#requests = new Requests(job);
    this.#prober = new EndProber(this.#requests);
    this.#sources = new Sources([job.url, ...job.mirrors], job.hostMemory, systemRuntime.clock.wallMs());
    this.#pin = destination.held?.pin;
  }

  async attempt(context: OperationContext): Promise<TransferOutcome> {
    for (;;) {
      try {
        while (!(await this.#fetchMore(context)) || (await this.#goesOn(context))) {
          // A part that ended cleanly before the end: the next one is asked for (RFC 9110, 15.3.7 allows short parts).
        }
        return await this.#prove();
      } catch (error) {
        if (context.signal.aborted) throw context.signal.reason;
        if (this.#movesOn(error)) continue;
        if (!this.#destination.mayBeginAgain) throw new Final(error);
        if (error instanceof ContentChangedError) await this.#startOver('the content changed', error);
        if (!isStuckResume(error)) throw error;
        await this.#startOver('the rest cannot be had', error);
        throw failedAttempt('resume', 'bad-resume', error.failure?.what ?? 'the rest cannot be had');
      }
    }
  }

  /** One request, and what it leads to. True when all bytes are there. */
  async #fetchMore({ client, signal }: OperationContext): Promise<boolean> {
    const url = this.#sources.current;
    const urlSha256 = this.#requests.sha256Of(url);
    const { held } = this.#destination;
    const isOfUrl = held?.pin.urlSha256 === urlSha256;
    const ask = planAsk({ held, isOfUrl, hasChecksum: this.#job.checksum !== undefined });
    const stop = new AbortController();
    const lease = await this.#requests.acquire(url, { signal, isExtra: false });
    try {
      const both = AbortSignal.any([signal, stop.signal]);
      const answer = await this.#request(ask, () =>
        this.#requests.send(
          client,
          url,
          ask,
          both,
          this.#listen((error) => stop.abort(error), lease),
        ),
      );
      this.#ledger = answer.ledger;
      const skipBytes = await this.#judge(ask, { ...answer, urlSha256 }, answer);
      if (this.#mayDivide()) return await this.#divide({ client, url, ask, answer, skipBytes, lease, signal });
      return await this.#pump(ask, answer, skipBytes, lease, both);
    } catch (error) {
      if (stop.signal.aborted && !signal.aborted) throw stop.signal.reason;
      throw error;
    } finally {
      // What is given back twice is given back once.
      lease.release();
    }
  }

  /** Hears of an address that comes to nothing, where there are others. */
  #listen(abort: (error: Error) => void, lease: ConnectionLease): (event: ReknitEvent) => void {
    let failedAtByte = this.#destination.gotBytes;
    let failed: Failure | undefined;
    return (event) => {
      this.#job.onEvent?.(event);
      if (this.#division !== undefined) this.#division.onFirstEvent(event);
      if (event.type === 'failure') failed = event.failure;
      if (event.type !== 'wait' || failed === undefined || this.#division !== undefined) return;
      const newBytes = this.#destination.gotBytes - failedAtByte;
      failedAtByte = this.#destination.gotBytes;
      if (newBytes >= PROGRESS_BYTES) return;
      const failure = failed;
      lease.report({ kind: 'failed', failure, delayMs: event.delayMs });
      if (this.#job.mirrors.length > 0) queueMicrotask(() => abort(new SourceFailed(failure)));
    };
  }

  async #request(ask: Ask, send: () => Promise<ClientResponse>): Promise<ClientResponse> {
    try {
      return await send();
    } catch (error) {
      const status = error instanceof GaveUpError ? error.failure?.status : undefined;
      // The range is refused, whatever the file is now: ask for all of it.
      if (ask.kind === 'rest' && (status === 416 || status === 412)) {
        await this.#startOver(`HTTP ${status} to a request for the rest`, error);
        throw failedAttempt('resume', 'bad-resume', `HTTP ${status} to a request for the rest`);
      }
      throw error;
    }
  }

  /** True where another address is asked next. */
  #movesOn(error: unknown): boolean {
    if (this.#job.mirrors.length === 0 || !(this.#destination.mayBeginAgain || this.#destination.gotBytes === 0)) {
      return false;
    }
    const failure = error instanceof SourceFailed || error instanceof GaveUpError ? error.failure : undefined;
    if (failure === undefined || isStuckResume(error)) return false;
    const isRefusal = failure.status !== undefined && !failure.transient;
    this.#job.onSource?.(this.#sources.current, 'failed');
    if (isRefusal ? this.#sources.refuse() : this.#sources.fail()) {
      this.#tellMirror(failure.what);
      return true;
    }
    // Each had its turn: after a wait, which `retry` decides about, they have it again.
    if (this.#sources.beginRound() && isRefusal) throw failedAttempt('http', 'status', failure.what);
    return false;
  }

  #tellMirror(because: string): void {
    this.#job.onEvent?.({ type: 'mirror', url: redactUrl(this.#sources.current), because });
  }

  /** @returns how many of the answer's first bytes are at hand */
  async #judge(ask: Ask, judged: Parameters<typeof judgeAnswer>[1], { body }: ClientResponse): Promise<number> {
    const verdict = judgeAnswer(ask, judged);
    const isOfUse = verdict.kind === 'join' || (verdict.kind === 'begin' && this.#trusts(verdict.pin));
    if (!isOfUse) body.on('error', () => {}).destroy();
    switch (verdict.kind) {
      case 'begin':
        if (!isOfUse) throw this.#distrusted();
        await this.#begin(verdict.pin, ask);
        return 0;
      case 'join':
        this.#join(verdict, ask);
        return verdict.skipBytes;
      case 'changed':
        await this.#startOver(verdict.what, undefined);
        throw failedAttempt('resume', 'content-changed', `the content changed (${verdict.what})`);
      case 'doubt':
        this.#doubts += 1;
        if (this.#doubts > 1 && ask.kind === 'rest') await this.#startOver(verdict.what, undefined);
        throw failedAttempt('resume', 'bad-resume', verdict.what);
      case 'refused':
        throw refused(judged.statusCode, verdict.what, this.#about);
    }
  }

  #trusts(pin: Pin): boolean {
    // A digest tells, whatever it looks like.
    if (this.#job.checksum !== undefined) return true;
    const { target } = this.#job;
    const trust = this.#distrust.look({ pin, before: this.#pin, url: this.#sources.current, target });
    if (trust.kind === 'trust' && trust.note !== undefined) this.#note(trust.note);
    this.#lastTrust = trust;
    return trust.kind === 'trust';
  }

  #distrusted(): Error {
    const trust = this.#lastTrust;
    if (trust?.kind === 'refuse') return wrongContent(trust.what, this.#about);
    return failedAttempt('http', 'suspicious', trust?.kind === 'doubt' ? trust.what : 'a strange answer');
  }

  #join(verdict: AnswerVerdict & { readonly kind: 'join' }, ask: Ask): void {
    this.#doubts = 0;
    this.#totalBytes = verdict.totalBytes;
    this.#isPart = verdict.isPart;
    this.#answerEndByte = verdict.endByte ?? verdict.totalBytes;
    // The whole where a part was asked for: ranges are of no use here.
    if (!verdict.isPart) this.#isSingle = true;
    if (ask.kind === 'rest' && ask.plan.kind !== 'range') this.#destination.forgetValidator();
  }

  async #begin(pin: Pin, ask: Ask): Promise<void> {
    const { gotBytes } = this.#destination;
    if (gotBytes > 0) {
      const because = ask.kind === 'whole' ? 'nothing proves the bytes at hand' : 'the content changed';
      this.#countRestart(because, gotBytes, undefined);
    }
    this.#doubts = 0;
    this.#integrity = undefined;
    this.#pin = pin;
    this.#totalBytes = pin.representation.totalBytes;
    this.#answerEndByte = this.#totalBytes;
    this.#isPart = false;
    this.#hasGuessedJoint = false;
    await this.#destination.begin(pin);
  }

  async #startOver(because: string, cause: unknown): Promise<void> {
    const { gotBytes } = this.#destination;
    if (gotBytes > 0) this.#countRestart(because, gotBytes, cause);
    this.#doubts = 0;
    await this.#destination.discard();
  }

  /** Progress renews the attempts; a content that never stays the same would go on for ever. */
  #countRestart(because: string, lostBytes: number, cause: unknown): void {
    this.#restarts += 1;
    this.#job.onEvent?.({ type: 'restart', url: this.#safeUrl, because, lostBytes });
    if (this.#restarts <= this.#job.maxRestarts) return;
    throw new Final(
      cause instanceof ContentChangedError || cause instanceof IntegrityError
        ? cause
        : new ContentChangedError(
            `Cannot download ${this.#safeUrl}: begun anew ${this.#restarts} times, the last time since ${because}`,
            { cause, ledger: this.#ledger },
          ),
    );
  }

  // One connection.

  async #pump(
    ask: Ask,
    answer: ClientResponse,
    skipBytes: number,
    lease: ConnectionLease,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { ledger } = answer;
    const described = ledger.attempts.findLast(({ hops }) => hops.at(-1)?.status === answer.statusCode);
    const before = this.#destination.gotBytes;
    const attemptsBefore = ledger.attemptCount;
    const missingBefore = this.#missingBytes;
    const writer = this.#destination.writerAt(this.#startByte(ask));
    let toSkip = skipBytes;
    let isFirst = true;
    try {
      for await (const received of answer.body as AsyncIterable<Buffer>) {
        if (isFirst && described !== undefined && described.newBytes === 0 && described !== ledger.attempts.at(-1)) {
          await this.#unpin(answer);
        }
        isFirst = false;
        const chunk = received.subarray(Math.min(toSkip, received.length));
        toSkip -= received.length - chunk.length;
        const room = chunk.length > 0 ? writer.write(chunk) : undefined;
        if (room !== undefined) await room;
        const paid = this.#job.pace?.pay(received.length, signal);
        if (paid !== undefined) await paid;
        this.#tell(ledger);
      }
    } finally {
      await writer.end();
      lease.report({ kind: 'worked', bytes: this.#destination.gotBytes - before });
    }
    if (this.#integrity !== 'unverifiable') this.#integrity = ledger.integrity;
    this.#hasGuessedJoint ||= ledger.attemptCount > attemptsBefore && this.#pin!.representation.validator === undefined;
    if (!this.#isPart) return true;
    // A part says where it ends, and without a total nobody says that the whole ends there.
    if (this.#totalBytes === undefined) this.#integrity = 'unverifiable';
    if (this.#totalBytes === undefined || this.#missingBytes === 0) return true;
    if (this.#missingBytes === missingBefore) throw failedAttempt('http', 'truncated', 'a part without a new byte');
    return false;
  }

  /** Where the bytes of the answer go on, its first ones skipped. */
  #startByte(ask: Ask): number {
    return ask.kind === 'rest' && this.#destination.held !== undefined ? ask.held.bytes : 0;
  }

  get #missingBytes(): number {
    return this.#totalBytes === undefined ? Number.NaN : sizeOf(this.#destination.gaps(this.#totalBytes));
  }

  /**
   * The headers came with an attempt that brought no byte: the bytes are of a later answer, whose fields nobody saw.
   * They are whole, but a claim about them would rest on the wrong validator.
   */
  async #unpin(answer: ClientResponse): Promise<void> {
    if (answer.statusCode === 206) return;
    const { representation, urlSha256 } = this.#pin!;
    const unknown = {
      ...representation,
      endByte: undefined,
      totalBytes: undefined,
      validator: undefined,
      etag: undefined,
    };
    this.#pin = { urlSha256, representation: { ...unknown, lastModified: undefined }, serverDigest: undefined };
    this.#totalBytes = undefined;
    await this.#destination.begin(this.#pin);
  }

  // Several connections.

  #mayDivide(): boolean {
    const { destination, connections, checksum } = { destination: this.#destination, ...this.#job };
    const { representation } = destination.held?.pin ?? this.#pin ?? {};
    if (!destination.takesSegments || this.#isSingle || connections.max === 1) return false;
    if (representation === undefined || representation.refusesRanges || representation.codings !== '') return false;
    const isBound = representation.validator !== undefined || checksum !== undefined;
    return isBound && this.#missingBytes > MIN_DIVIDED_BYTES;
  }

  async #divide(first: Omit<Divided, 'pin' | 'totalBytes' | 'atByte' | 'endByte' | 'onProgress'>): Promise<boolean> {
    const destination = this.#destination;
    const totalBytes = this.#totalBytes!;
    const pin = destination.held?.pin ?? this.#pin!;
    await destination.reserve?.(totalBytes);
    const { division, end } = divide(this.#job, this.#requests, destination, {
      ...first,
      pin,
      totalBytes,
      atByte: this.#startByte(first.ask),
      endByte: this.#answerEndByte ?? totalBytes,
      onProgress: (connections) => this.#tellConnections(connections, first.answer.ledger),
    });
    this.#division = division;
    try {
      return await this.#afterDivision(await end, pin);
    } finally {
      this.#division = undefined;
      this.#peakConnections = Math.max(this.#peakConnections, division.peakCount);
      this.#connections = 1;
    }
  }

  /** @returns true when all bytes are there */
  async #afterDivision(end: DivisionEnd, pin: Pin): Promise<boolean> {
    switch (end.kind) {
      case 'complete':
        this.#integrity = pin.representation.validator === undefined ? 'unverifiable' : 'length';
        return true;
      case 'single':
        this.#isSingle = true;
        return this.#missingBytes === 0;
      case 'changed':
        // Replicas that do not agree change with every part: one answer is of one of them.
        if (this.#restarts > 0) this.#isSingle = true;
        await this.#startOver(end.what, undefined);
        throw failedAttempt('resume', 'content-changed', `the content changed (${end.what})`);
    }
  }

  #tellConnections(connections: number, ledger: Ledger): void {
    if (connections !== this.#connections) {
      this.#connections = connections;
      this.#job.onEvent?.({ type: 'connections', url: this.#safeUrl, count: connections });
    }
    this.#tell(ledger);
  }

  #tell(ledger: Ledger): void {
    this.#job.onProgress?.({
      bytes: this.#destination.gotBytes,
      totalBytes: this.#totalBytes,
      receivedBytes: ledger.receivedBytes,
      attemptNumber: ledger.attemptCount,
      ...(this.#connections > 1 ? { connections: this.#connections } : {}),
    });
  }

  // The end.

  /**
   * Asks for what follows an end that nothing told.
   *
   * @returns true where there is more, which can be joined
   */
  async #goesOn({ client, signal }: OperationContext): Promise<boolean> {
    const pin = this.#pin!;
    const { gotBytes: bytes } = this.#destination;
    const facts = { integrity: this.#integrity, hasDigest: this.#expected !== undefined, bytes, pin };
    const verdict = await this.#prober.probe(facts, { client, url: this.#sources.current, signal });
    if (verdict.kind === 'ends-here' && !this.#hasGuessedJoint) this.#integrity = 'length';
    if (verdict.kind !== 'goes-on') return false;
    this.#integrity = undefined;
    if (pin.representation.validator !== undefined) return true;
    throw failedAttempt('http', 'truncated', verdict.what);
  }

  get #expected(): EndFacts['expected'] {
    const { checksum } = this.#job;
    if (checksum !== undefined) return { ...checksum, from: 'caller' };
    const { serverDigest } = this.#pin!;
    return serverDigest === undefined ? undefined : { ...serverDigest, from: 'server' };
  }

  async #prove(): Promise<TransferOutcome> {
    const destination = this.#destination;
    const expected = this.#expected;
    const digests = await destination.digests();
    const actualHex = digests.get(expected?.algorithm ?? 'sha256')!;
    const { gotBytes: bytes } = destination;
    const verdict = judgeEnd({
      bytes,
      integrity: this.#integrity,
      expected,
      actualHex,
      memory: this.#memory,
      requiresProof: this.#job.requiresProof,
    });
    switch (verdict.kind) {
      case 'proven':
        return this.#outcome(verdict, digests.get('sha256')!);
      case 'again': {
        this.#memory = verdict.memory;
        this.#requests.skipCaches();
        // What came in parts may have been joined wrongly; one answer has no joints.
        this.#isSingle = true;
        if (!destination.mayBeginAgain) throw wrongContent(verdict.what, this.#about);
        if (verdict.because === 'digest-mismatch') this.#wrongBlocks = await this.#digestBlocks();
        await this.#startOver(verdict.what, wrongContent(verdict.what, this.#about));
        if (verdict.because === 'digest-mismatch' && this.#sources.fail()) this.#tellMirror(verdict.what);
        const origin: Origin = verdict.because === 'suspicious' ? 'http' : 'integrity';
        throw failedAttempt(origin, verdict.because, verdict.what);
      }
      case 'wrong': {
        const where = this.#wrongBlocks && describeDifference(this.#wrongBlocks, await this.#digestBlocks());
        if (destination.mayBeginAgain) await destination.discard();
        throw wrongContent(where === undefined ? verdict.what : `${verdict.what}; ${where}`, this.#about);
      }
    }
  }

  #digestBlocks(): Promise<readonly string[]> | undefined {
    return this.#destination.blockDigests?.(this.#job.signal);
  }

  #outcome(
    verdict: { readonly integrity: Integrity; readonly note: string | undefined },
    sha256: string,
  ): TransferOutcome {
    const { codings } = this.#pin!.representation;
    const coding = codings === '' ? [] : [`saved as sent, with Content-Encoding ${codings}`];
    for (const text of [...(verdict.note === undefined ? [] : [verdict.note]), ...coding]) this.#note(text);
    return {
      integrity: verdict.integrity,
      sha256,
      ledger: this.#ledger!,
      notes: this.#notes,
      connections: this.#peakConnections,
      source: this.#sources.current,
    };
  }

  get #safeUrl(): string {
    return redactUrl(this.#sources.current);
  }

  get #about(): About {
    return { url: this.#safeUrl, ledger: this.#ledger };
  }

  #note(text: string): void {
    this.#notes.push(text);
    this.#job.onEvent?.({ type: 'note', url: this.#safeUrl, text });
  }
}
