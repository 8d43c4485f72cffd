/**
 * One download from its first request to proven bytes. The client heals bodies; what it cannot heal comes here, where
 * the bytes can be thrown away: `retry` counts the attempts of both in one ledger.
 */
import {
  ContentChangedError,
  GaveUpError,
  type Integrity,
  IntegrityError,
  type Ledger,
  type Origin,
  redactUrl,
} from '../core/index.ts';
import { type Client, type ClientResponse, type OperationContext, retry } from '../http/index.ts';
import { systemRuntime } from '../runtime/index.ts';
import { type Ask, askHeaders, judgeAnswer, planAsk } from './answer.ts';
import type { Checksum } from './checksum.ts';
import type { Destination } from './destination.ts';
import type { DownloadListener, ProgressListener } from './events.ts';
import type { Pin } from './journal.ts';
import { freshMemory, judgeEnd } from './proof.ts';
import { type About, Final, failedAttempt, isStuckResume, refused, wrongContent } from './transfer-failures.ts';

export interface TransferJob {
  readonly url: string;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly checksum: Checksum | undefined;
  readonly client: Client;
  readonly signal: AbortSignal | undefined;
  readonly deadlineMs: number | undefined;
  /** How often everything may be thrown away and begun anew. */
  readonly maxRestarts: number;
  readonly onEvent: DownloadListener | undefined;
  readonly onProgress: ProgressListener | undefined;
}

export interface TransferOutcome {
  readonly integrity: Integrity;
  readonly ledger: Ledger;
  readonly notes: readonly string[];
}

export async function transfer(job: TransferJob, destination: Destination, isOfUrl: boolean): Promise<TransferOutcome> {
  const running = new Transfer(job, destination, isOfUrl);
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

class Transfer {
  readonly #job: TransferJob;
  readonly #destination: Destination;
  readonly #deadlineAtMs: number | undefined;
  readonly #safeUrl: string;
  #isOfUrl: boolean;
  #pin: Pin | undefined;
  #totalBytes: number | undefined;
  /** The answer may end before the whole does. */
  #isPart = false;
  #memory = freshMemory;
  #doubts = 0;
  #restarts = 0;
  #skipsCaches = false;
  #integrity: Integrity | undefined;
  #ledger: Ledger | undefined;
  #notes: string[] = [];

  constructor(job: TransferJob, destination: Destination, isOfUrl: boolean) {
    this.#job = job;
    this.#destination = destination;
    this.#isOfUrl = isOfUrl;
    this.#safeUrl = redactUrl(job.url);
    this.#deadlineAtMs = job.deadlineMs === undefined ? undefined : systemRuntime.clock.nowMs() + job.deadlineMs;
    this.#pin = destination.held?.pin;
  }

  async attempt(context: OperationContext): Promise<TransferOutcome> {
    try {
      while (!(await this.#fetchMore(context))) {
        // A part that ended cleanly before the end: the next one is asked for (RFC 9110, 15.3.7 allows short parts).
      }
      return await this.#prove();
    } catch (error) {
      if (context.signal.aborted) throw context.signal.reason;
      if (!this.#destination.mayBeginAgain) throw new Final(error);
      if (error instanceof ContentChangedError) await this.#startOver('the content changed', error);
      if (!isStuckResume(error)) throw error;
      await this.#startOver('the rest cannot be had', error);
      throw failedAttempt('resume', 'bad-resume', error.failure?.what ?? 'the rest cannot be had');
    }
  }

  /** One request. True when all bytes are there. */
  async #fetchMore({ client, signal }: OperationContext): Promise<boolean> {
    const { held } = this.#destination;
    const ask = planAsk({ held, isOfUrl: this.#isOfUrl, hasChecksum: this.#job.checksum !== undefined });
    const answer = await this.#request(client, ask, signal);
    this.#ledger = answer.ledger;
    const skipBytes = await this.#judge(ask, answer);
    const before = this.#destination.atByte;
    await this.#pump(answer, skipBytes);
    const { atByte } = this.#destination;
    if (!this.#isPart) return true;
    // A part says where it ends, and without a total nobody says that the whole ends there.
    if (this.#totalBytes === undefined) this.#integrity = 'unverifiable';
    if (this.#totalBytes === undefined || atByte >= this.#totalBytes) return true;
    if (atByte === before) throw failedAttempt('http', 'truncated', 'a part without a new byte');
    return false;
  }

  async #request(client: Client, ask: Ask, signal: AbortSignal): Promise<ClientResponse> {
    const { url, headers, checksum, onEvent } = this.#job;
    const remainingMs =
      this.#deadlineAtMs === undefined
        ? undefined
        : Math.max(1, Math.round(this.#deadlineAtMs - systemRuntime.clock.nowMs()));
    try {
      return await client.request(url, {
        headers: {
          'user-agent': 'reknit',
          accept: '*/*',
          ...headers,
          'accept-encoding': 'identity',
          ...(this.#skipsCaches ? { 'cache-control': 'no-cache', pragma: 'no-cache' } : {}),
          ...askHeaders(ask),
        } as Record<string, string | string[]>,
        signal,
        throwOnStatus: true,
        resumeWithoutValidator: 'overlap',
        requireProof: checksum === undefined,
        deadlineMs: remainingMs,
        onEvent,
      });
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

  /** @returns how many of the answer's first bytes are at hand */
  async #judge(ask: Ask, answer: ClientResponse): Promise<number> {
    const verdict = judgeAnswer(ask, answer);
    if (verdict.kind !== 'begin' && verdict.kind !== 'join') answer.body.on('error', () => {}).destroy();
    switch (verdict.kind) {
      case 'begin':
        await this.#begin(verdict.pin, ask);
        return 0;
      case 'join':
        this.#doubts = 0;
        this.#totalBytes = verdict.totalBytes;
        this.#isPart = verdict.isPart;
        if (ask.kind === 'rest' && ask.plan.kind !== 'range') this.#destination.forgetValidator();
        return verdict.skipBytes;
      case 'changed':
        await this.#startOver(verdict.what, undefined);
        throw failedAttempt('resume', 'content-changed', `the content changed (${verdict.what})`);
      case 'doubt':
        this.#doubts += 1;
        if (this.#doubts > 1 && ask.kind === 'rest') await this.#startOver(verdict.what, undefined);
        throw failedAttempt('resume', 'bad-resume', verdict.what);
      case 'refused':
        throw refused(answer.statusCode, verdict.what, this.#about);
    }
  }

  async #begin(pin: Pin, ask: Ask): Promise<void> {
    const { atByte } = this.#destination;
    if (atByte > 0) {
      const because = ask.kind === 'whole' ? 'nothing proves the bytes at hand' : 'the content changed';
      this.#countRestart(because, atByte, undefined);
    }
    this.#doubts = 0;
    this.#integrity = undefined;
    this.#pin = pin;
    this.#totalBytes = pin.representation.totalBytes;
    this.#isPart = false;
    this.#isOfUrl = true;
    await this.#destination.begin(pin);
  }

  async #startOver(because: string, cause: unknown): Promise<void> {
    const { atByte } = this.#destination;
    if (atByte > 0) this.#countRestart(because, atByte, cause);
    this.#pin = undefined;
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

  async #pump(answer: ClientResponse, skipBytes: number): Promise<void> {
    const destination = this.#destination;
    const { ledger } = answer;
    const described = ledger.attempts.findLast(({ hops }) => hops.at(-1)?.status === answer.statusCode);
    let toSkip = skipBytes;
    let isFirst = true;
    for await (const received of answer.body as AsyncIterable<Buffer>) {
      if (isFirst && described !== undefined && described.newBytes === 0 && described !== ledger.attempts.at(-1)) {
        await this.#unpin(answer);
      }
      isFirst = false;
      const chunk = received.subarray(Math.min(toSkip, received.length));
      toSkip -= received.length - chunk.length;
      if (chunk.length > 0) await destination.write(chunk);
      this.#tell(ledger);
    }
    if (this.#integrity !== 'unverifiable') this.#integrity = ledger.integrity;
  }

  /**
   * The headers came with an attempt that brought no byte: the bytes are of a later answer, whose fields nobody saw.
   * They are whole, but a claim about them would rest on the wrong validator.
   */
  async #unpin(answer: ClientResponse): Promise<void> {
    if (answer.statusCode === 206) return;
    const { representation } = this.#pin!;
    const unknown = {
      ...representation,
      endByte: undefined,
      totalBytes: undefined,
      validator: undefined,
      etag: undefined,
    };
    this.#pin = { representation: { ...unknown, lastModified: undefined }, serverDigest: undefined };
    this.#totalBytes = undefined;
    await this.#destination.begin(this.#pin);
  }

  #tell(ledger: Ledger): void {
    this.#job.onProgress?.({
      bytes: this.#destination.atByte,
      totalBytes: this.#totalBytes,
      receivedBytes: ledger.receivedBytes,
      attemptNumber: ledger.attemptCount,
    });
  }

  async #prove(): Promise<TransferOutcome> {
    const destination = this.#destination;
    const { serverDigest, representation } = this.#pin!;
    const { checksum } = this.#job;
    const expected = checksum
      ? ({ ...checksum, from: 'caller' } as const)
      : serverDigest
        ? ({ ...serverDigest, from: 'server' } as const)
        : undefined;
    const actualHex = destination.digestHex(expected?.algorithm ?? 'sha256')!;
    const { atByte: bytes } = destination;
    const verdict = judgeEnd({ bytes, integrity: this.#integrity, expected, actualHex, memory: this.#memory });
    switch (verdict.kind) {
      case 'proven': {
        const coding =
          representation.codings === '' ? [] : [`saved as sent, with Content-Encoding ${representation.codings}`];
        for (const text of [...(verdict.note === undefined ? [] : [verdict.note]), ...coding]) this.#note(text);
        return { integrity: verdict.integrity, ledger: this.#ledger!, notes: this.#notes };
      }
      case 'again': {
        this.#memory = verdict.memory;
        this.#skipsCaches = true;
        if (!destination.mayBeginAgain) throw wrongContent(verdict.what, this.#about);
        await this.#startOver(verdict.what, wrongContent(verdict.what, this.#about));
        const origin: Origin = verdict.because === 'suspicious' ? 'http' : 'integrity';
        throw failedAttempt(origin, verdict.because, verdict.what);
      }
      case 'wrong':
        if (destination.mayBeginAgain) await destination.discard();
        throw wrongContent(verdict.what, this.#about);
    }
  }

  get #about(): About {
    return { url: this.#safeUrl, ledger: this.#ledger };
  }

  #note(text: string): void {
    this.#notes.push(text);
    this.#job.onEvent?.({ type: 'note', url: this.#safeUrl, text });
  }
}
