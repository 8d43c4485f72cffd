/**
 * One answer on its way from an upstream, for everybody who asks for it meanwhile. It is fetched once; its bytes stand in a
 * spool that each client reads at its own pace; the end of a body whose digest is known is held back until it is proven.
 */
import type { Hash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { IntegrityError, type Ledger } from '../core/index.ts';
import type { Checksum } from '../download/index.ts';
import type { Content, ContentState, Hold } from './content.ts';
import { startHash, writeDigest } from './digests.ts';
import { type Head, type HeaderRecord, lengthIn } from './head.ts';
import { Spool, type SpoolFile } from './spool.ts';

/** A body with a digest that is no longer than this is proven before its head is told: what is wrong can be fetched again. */
const HELD_BYTES = 1_048_576;
/** Of a longer one, so much is held back at the end. */
const HELD_TAIL_BYTES = 16_384;

/** An answer as the client below gives it; its body heals. */
export interface Answer {
  readonly status: number;
  readonly headers: HeaderRecord;
  readonly body: Readable;
  readonly ledger: Ledger;
}

export interface FlightSettings {
  /** @param isPastCaches what caches on the way hold is not good enough */
  readonly open: (how: { readonly isPastCaches: boolean; readonly signal: AbortSignal }) => Promise<Answer>;
  /** What the index promises; it may still be on its way. */
  readonly digest: Promise<Checksum | undefined> | undefined;
  readonly openFile: () => Promise<SpoolFile>;
  /** It has ended, well or not, and nobody can join any more. */
  readonly onEnd: (flight: Flight) => void;
}

export class Flight implements Content {
  readonly #settings: FlightSettings;
  readonly #abort = new AbortController();
  readonly #holds = new Set<FlightHold>();
  readonly head: Promise<Head>;
  #tellHead!: (head: Head) => void;
  #refuseHead!: (error: unknown) => void;
  #spool: Spool;
  #body: Readable | undefined;
  #digest: Checksum | undefined;
  #isDigestKnown = false;
  #isHeadTold = false;
  #held: Head | undefined;
  #wakers: (() => void)[] = [];
  state: ContentState = 'open';
  releasedBytes = 0;
  lengthBytes: number | undefined;
  error: unknown;
  ledger: Ledger | undefined;

  constructor(settings: FlightSettings) {
    this.#settings = settings;
    this.#spool = this.#newSpool();
    this.head = new Promise((resolve, reject) => {
      this.#tellHead = resolve;
      this.#refuseHead = reject;
    });
    this.head.catch(() => {});
  }

  #newSpool(): Spool {
    return new Spool(this.#settings.openFile, () => this.#body?.resume());
  }

  get spool(): Spool {
    return this.#spool;
  }

  /** Someone who comes now can have all of it. */
  get isJoinable(): boolean {
    return this.state === 'open' && this.#spool.isWhole;
  }

  begin(): void {
    void this.#run().then(
      () => this.#end('whole'),
      (error) => {
        this.error = error;
        this.#end('failed');
      },
    );
  }

  #end(state: ContentState): void {
    this.state = state;
    if (state === 'whole') {
      this.lengthBytes = this.#spool.length;
      this.releasedBytes = this.#spool.length;
      if (this.#held !== undefined && !this.#isHeadTold) this.#tell(this.#held);
    } else if (!this.#isHeadTold) this.#refuseHead(this.error);
    this.#wake();
    this.#settings.onEnd(this);
  }

  async #run(): Promise<void> {
    const { digest } = this.#settings;
    void digest?.then((known) => this.#digestIs(known));
    if (digest === undefined) this.#isDigestKnown = true;
    const wrong = await this.#fetch(false);
    if (wrong === undefined) return;
    // Once more, past what may be wrong on the way.
    if (this.#isHeadTold) throw wrong;
    await this.#spool.close();
    this.#spool = this.#newSpool();
    this.releasedBytes = 0;
    const stillWrong = await this.#fetch(true);
    if (stillWrong !== undefined) throw stillWrong;
  }

  /** What was promised does not agree with what came: returned, so that it can be fetched again. */
  async #fetch(isPastCaches: boolean): Promise<IntegrityError | undefined> {
    const answer = await this.#settings.open({ isPastCaches, signal: this.#abort.signal });
    const { status, headers, ledger } = answer;
    this.ledger = ledger;
    const lengthBytes = lengthIn(headers);
    const url = ledger.attempts.at(-1)?.hops.at(-1)?.url ?? ledger.url;
    this.#held = { status, headers, lengthBytes, url };
    this.lengthBytes = lengthBytes;
    // Only a whole body can be what the index promises.
    const isProven = status === 200 && this.#settings.digest !== undefined;
    if (!isProven) {
      this.#isDigestKnown = true;
      this.#digest = undefined;
    }
    this.#release();
    const hash = await this.#take(answer.body);
    if (!isProven) return undefined;
    const digest = await this.#settings.digest;
    if (digest === undefined) return undefined;
    const hex = hash.algorithm === digest.algorithm ? hash.hash.digest('hex') : await this.#hashAgain(digest.algorithm);
    if (hex === digest.hex) return undefined;
    return new IntegrityError(
      `The index promises ${writeDigest(digest)}, and ${writeDigest({ ...digest, hex })} came (${this.#spool.length} bytes) · ${ledger.url}`,
      { ledger },
    );
  }

  #take(body: Readable): Promise<{ readonly algorithm: string; readonly hash: Hash }> {
    this.#body = body;
    const algorithm = this.#digest?.algorithm ?? 'sha256';
    const hash = startHash(algorithm);
    return new Promise((resolve, reject) => {
      body.on('data', (chunk: Buffer) => {
        hash.update(chunk);
        if (!this.#spool.append(chunk)) body.pause();
        this.#release();
      });
      body.on('end', () => resolve({ algorithm, hash }));
      body.on('error', reject);
      // Of a body that nobody wants any more no error is told.
      body.on('close', () => reject(this.#abort.signal.reason ?? new Error('the body was closed')));
    });
  }

  async #hashAgain(algorithm: string): Promise<string> {
    const hash = startHash(algorithm);
    for (let at = 0; at < this.#spool.length; ) {
      const part = await this.#spool.read(at, 262_144);
      hash.update(part);
      at += part.length;
    }
    return hash.digest('hex');
  }

  #digestIs(known: Checksum | undefined): void {
    this.#isDigestKnown = true;
    this.#digest = known;
    this.#release();
  }

  /** What may be sent grows. */
  #release(): void {
    const { length } = this.#spool;
    const head = this.#held;
    if (head === undefined) return;
    const mayBeWrong = !this.#isDigestKnown || this.#digest !== undefined;
    if (!mayBeWrong) {
      this.releasedBytes = length;
      this.#tell(head);
    } else if (Math.max(length, head.lengthBytes ?? 0) > HELD_BYTES) {
      const end = head.lengthBytes ?? length;
      this.releasedBytes = Math.max(0, Math.min(length, end - HELD_TAIL_BYTES));
      this.#tell(head);
    } else return;
    this.#wake();
  }

  #tell(head: Head): void {
    if (this.#isHeadTold) return;
    this.#isHeadTold = true;
    this.#tellHead(head);
  }

  // Readers.

  read(at: number, maxBytes: number): Buffer | Promise<Buffer> {
    return this.#spool.read(at, maxBytes);
  }

  news(): Promise<void> {
    return new Promise((resolve) => this.#wakers.push(resolve));
  }

  #wake(): void {
    if (this.#wakers.length === 0) return;
    const wakers = this.#wakers;
    this.#wakers = [];
    for (const wake of wakers) wake();
  }

  hold(): Hold {
    const hold = new FlightHold(this.#onRead, this.#onRelease);
    this.#holds.add(hold);
    return hold;
  }

  readonly #onRead = (): void => {
    if (this.#spool.diskError !== undefined)
      this.#spool.slowestReaderIs(Math.min(...[...this.#holds].map(({ at }) => at)));
  };

  readonly #onRelease = (hold: FlightHold): void => {
    this.#holds.delete(hold);
    if (this.#holds.size > 0) {
      this.#onRead();
      return;
    }
    this.#onUnheld();
  };

  /** Nobody wants it any more. */
  #onUnheld(): void {
    if (this.state !== 'open') {
      void this.#spool.close();
      return;
    }
    this.#abort.abort(new Error('nobody reads it any more'));
    this.#body?.destroy();
  }
}

class FlightHold implements Hold {
  readonly #onRead: () => void;
  readonly #onRelease: (hold: FlightHold) => void;
  #at = 0;
  #isReleased = false;

  constructor(onRead: () => void, onRelease: (hold: FlightHold) => void) {
    this.#onRead = onRead;
    this.#onRelease = onRelease;
  }

  get at(): number {
    return this.#at;
  }

  set at(at: number) {
    this.#at = at;
    this.#onRead();
  }

  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#onRelease(this);
  }
}
