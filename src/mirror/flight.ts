/**
 * One answer on its way from an upstream, for everybody who asks for it meanwhile. It is fetched once; its bytes stand in a
 * spool that each client reads at its own pace; the end of a body whose digest is known is held back until it is proven.
 */
import type { Hash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { IntegrityError, type Ledger } from '../core/index.ts';
import type { Checksum } from '../download/index.ts';
import type { Content, ContentState, Hold, Provenance } from './content.ts';
import { startHash, writeDigest } from './digests.ts';
import { isForAll } from './freshness.ts';
import { type Head, type HeaderRecord, lengthIn } from './head.ts';
import { Spool, type SpoolFile } from './spool.ts';

/** A body with a digest that is no longer than this is proven before its head is told: what is wrong can be fetched again. */
const HELD_BYTES = 1_048_576;
/** Of a longer one, so much is held back at the end. */
const HELD_TAIL_BYTES = 16_384;
/** At an index whose end nothing tells, beside the first. */
const MAX_LOOKS = 2;
/** What an index that is still on its way may promise. */
const lateAlgorithms = ['sha512', 'sha256', 'sha1'];
const COMPARE_BYTES = 262_144;

/** An answer as the client below gives it; its body heals. */
export interface Answer {
  readonly status: number;
  readonly headers: HeaderRecord;
  readonly body: Readable;
  /** Of the request; undefined where there was none. */
  readonly ledger: Ledger | undefined;
  readonly url: string;
  readonly from: Provenance;
}

/** Where a body broke off that no attempt at its own upstream could continue. */
export interface BrokenOff {
  readonly head: Head;
  readonly atByte: number;
  /** The digest of the whole proves whatever is joined. */
  readonly isProven: boolean;
  readonly signal: AbortSignal;
}

/** The rest of a body from somewhere else; its first bytes may be there already. */
export interface Rest {
  readonly body: Readable;
  readonly skipBytes: number;
}

export interface FlightSettings {
  /** @param isPastCaches what caches on the way hold is not good enough */
  readonly open: (how: { readonly isPastCaches: boolean; readonly signal: AbortSignal }) => Promise<Answer>;
  /** Undefined where nobody has the rest. */
  readonly continueElsewhere: (broken: BrokenOff) => Promise<Rest | undefined>;
  /** What the index promises; it may still be on its way. */
  readonly digest: Promise<Checksum | undefined> | undefined;
  /** It was wrong a moment ago. */
  readonly isSuspect: boolean;
  /** SHA-256 is wanted whatever the index promises: for the cache. */
  readonly isKept: boolean;
  /** An index: nobody gets a part of it. */
  readonly isWholeWanted: boolean;
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
  #toldHead: Head | undefined;
  #held: Head | undefined;
  /** What was told turned out to be wrong: nothing more is told before everything is proven. */
  #isSecondTry = false;
  readonly #hashes = new Map<string, Hash>();
  #wakers: (() => void)[] = [];
  #isKeeping = false;
  state: ContentState = 'open';
  releasedBytes = 0;
  lengthBytes: number | undefined;
  error: unknown;
  ledger: Ledger | undefined;
  from: Provenance = 'miss';
  /** May be given to others than who asked first. */
  isForAll = true;
  /** What the body is proven by; undefined where nothing was promised. */
  proof: Checksum | undefined;
  sha256: string | undefined;

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

  /** Everybody has left before it was whole. */
  get isAbandoned(): boolean {
    return this.#abort.signal.aborted;
  }

  /** Someone who comes now can have all of it. */
  get isJoinable(): boolean {
    // While the cache takes it over, it is not to be found there yet.
    const isThere = this.state === 'open' || (this.state === 'whole' && this.#isKeeping);
    return isThere && this.#spool.isWhole && !this.#abort.signal.aborted;
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
      if (this.#held !== undefined) this.#tell(this.#held);
    } else if (this.#toldHead === undefined) this.#refuseHead(this.error);
    this.#wake();
    this.#settings.onEnd(this);
    if (this.#holds.size === 0) this.#closeSpool();
  }

  async #run(): Promise<void> {
    const { digest, isSuspect } = this.#settings;
    if (digest === undefined) this.#isDigestKnown = true;
    else void digest.then((known) => this.#digestIs(known));
    const wrong = await this.#fetch(isSuspect);
    if (wrong === undefined) {
      if (this.#settings.isWholeWanted) await this.#seeTwice();
      return;
    }
    // Once more, past what may be wrong on the way.
    const before = this.#spool;
    this.#isSecondTry = true;
    this.releasedBytes = 0;
    this.#spool = this.#newSpool();
    try {
      const stillWrong = await this.#fetch(true);
      if (stillWrong !== undefined) throw stillWrong;
      await this.#breakMisled(before);
    } finally {
      void before.close();
    }
  }

  /** Where nothing tells the end of an index, a cut one looks whole: it is believed when it was seen twice. */
  async #seeTwice(): Promise<void> {
    for (let n = 0; n < MAX_LOOKS && this.ledger?.integrity === 'unverifiable'; n += 1) {
      const before = this.#spool;
      this.#spool = this.#newSpool();
      try {
        await this.#fetch(false);
        const isSame = before.length === this.#spool.length;
        if (isSame && (await commonBytes(before, this.#spool, before.length)) === before.length) return;
      } finally {
        void before.close();
      }
    }
  }

  /** Who holds bytes that are not those of the right body must not see its end. */
  async #breakMisled(before: Spool): Promise<void> {
    const told = this.#toldHead;
    if (told === undefined) return;
    const isLengthRight = told.lengthBytes === undefined || told.lengthBytes === this.#spool.length;
    const furthest = Math.max(0, ...[...this.#holds].map(({ at }) => at));
    const agreed = isLengthRight ? await commonBytes(before, this.#spool, furthest) : -1;
    for (const hold of this.#holds) if (hold.at > agreed) hold.isMisled = true;
  }

  /** What was promised does not agree with what came: returned, so that it can be fetched again. */
  async #fetch(isPastCaches: boolean): Promise<IntegrityError | undefined> {
    const answer = await this.#settings.open({ isPastCaches, signal: this.#abort.signal });
    const { status, headers, ledger, url, from } = answer;
    this.ledger = ledger ?? this.ledger;
    this.from = from;
    const lengthBytes = lengthIn(headers);
    this.#held = { status, headers, lengthBytes, url };
    this.lengthBytes ??= lengthBytes;
    // Only a whole body can be what the index promises.
    const isProvable = status === 200 && this.#settings.digest !== undefined;
    if (!isProvable) this.#digestIs(undefined);
    this.isForAll = isForAll(headers, isProvable);
    this.#hashes.clear();
    if (this.#settings.isKept) this.#hashes.set('sha256', startHash('sha256'));
    const algorithms =
      this.#digest !== undefined ? [this.#digest.algorithm] : this.#isDigestKnown ? [] : lateAlgorithms;
    for (const algorithm of algorithms) this.#hashes.set(algorithm, startHash(algorithm));
    this.#release();
    await this.#takeAll(answer.body, isProvable);
    const sums = new Map([...this.#hashes].map(([algorithm, hash]) => [algorithm, hash.digest('hex')]));
    this.sha256 = sums.get('sha256');
    const digest = isProvable ? await this.#settings.digest : undefined;
    if (digest === undefined) return undefined;
    const hex = sums.get(digest.algorithm) ?? (await this.#hashAgain(digest.algorithm));
    if (hex !== digest.hex) return this.#mismatch(digest, hex, url);
    this.proof = digest;
    return undefined;
  }

  #mismatch(digest: Checksum, hex: string, url: string): IntegrityError {
    const came = writeDigest({ ...digest, hex });
    return new IntegrityError(
      `The index promises ${writeDigest(digest)}, and ${came} came (${this.#spool.length} bytes) · GET ${url}`,
      { ledger: this.ledger },
    );
  }

  /** Where a body breaks off for good, its rest may be elsewhere. */
  async #takeAll(first: Readable, isProvable: boolean): Promise<void> {
    let rest: Rest | undefined = { body: first, skipBytes: 0 };
    while (rest !== undefined) {
      try {
        await this.#take(rest);
        return;
      } catch (error) {
        const { signal } = this.#abort;
        if (signal.aborted) throw error;
        const isProven = isProvable && (await this.#settings.digest) !== undefined;
        const broken = { head: this.#held!, atByte: this.#spool.length, isProven, signal };
        rest = await this.#settings.continueElsewhere(broken);
        if (rest === undefined) throw error;
      }
    }
  }

  #take({ body, skipBytes }: Rest): Promise<void> {
    this.#body = body;
    let toSkip = skipBytes;
    return new Promise((resolve, reject) => {
      body.on('data', (chunk: Buffer) => {
        const fresh = chunk.subarray(Math.min(toSkip, chunk.length));
        toSkip -= chunk.length - fresh.length;
        if (fresh.length > 0 && !this.#add(fresh)) body.pause();
      });
      body.on('end', resolve);
      body.on('error', reject);
      // Of a body that nobody wants any more no error is told.
      body.on('close', () => reject(this.#abort.signal.reason ?? new Error('the body was closed')));
    });
  }

  #add(chunk: Buffer): boolean {
    for (const hash of this.#hashes.values()) hash.update(chunk);
    const goesOn = this.#spool.append(chunk);
    this.#release();
    return goesOn;
  }

  async #hashAgain(algorithm: string): Promise<string> {
    const hash = startHash(algorithm);
    for (let at = 0; at < this.#spool.length; ) {
      const part = await this.#spool.read(at, COMPARE_BYTES);
      hash.update(part);
      at += part.length;
    }
    return hash.digest('hex');
  }

  #digestIs(known: Checksum | undefined): void {
    this.#isDigestKnown = true;
    this.#digest = known;
    for (const algorithm of lateAlgorithms) {
      const isWanted = algorithm === known?.algorithm || (algorithm === 'sha256' && this.#settings.isKept);
      if (!isWanted) this.#hashes.delete(algorithm);
    }
    this.#release();
  }

  /** What may be sent grows. */
  #release(): void {
    const { length } = this.#spool;
    const head = this.#held;
    if (head === undefined || this.#isSecondTry || this.state !== 'open') return;
    const mayBeWrong = !this.#isDigestKnown || this.#digest !== undefined;
    if (!mayBeWrong) this.releasedBytes = length;
    else if (Math.max(length, head.lengthBytes ?? 0) <= HELD_BYTES) return;
    else this.releasedBytes = Math.max(0, Math.min(length, (head.lengthBytes ?? length) - HELD_TAIL_BYTES));
    this.#tell(head);
    this.#wake();
  }

  #tell(head: Head): void {
    if (this.#toldHead !== undefined) return;
    this.#toldHead = head;
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
    if (this.#holds.size > 0) this.#onRead();
    else if (this.state !== 'open') this.#closeSpool();
    else {
      // Nobody wants it any more.
      this.#abort.abort(new Error('nobody reads it any more'));
      this.#body?.destroy();
    }
  };

  /** The cache takes it over: its file is closed when that is done. */
  async keep(act: () => Promise<void>): Promise<void> {
    this.#isKeeping = true;
    try {
      await act();
    } catch {
      // What cannot be read back is not kept; the clients have it.
    } finally {
      this.#isKeeping = false;
      if (this.#holds.size === 0) this.#closeSpool();
    }
  }

  #closeSpool(): void {
    if (!this.#isKeeping) void this.#spool.close();
  }
}

class FlightHold implements Hold {
  readonly #onRead: () => void;
  readonly #onRelease: (hold: FlightHold) => void;
  #at = 0;
  #isReleased = false;
  isMisled = false;

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

/** How far two bodies are the same, up to a bound. */
async function commonBytes(a: Spool, b: Spool, boundBytes: number): Promise<number> {
  const end = Math.min(boundBytes, a.length, b.length);
  for (let at = 0; at < end; ) {
    const [one, other] = await Promise.all([a.read(at, end - at), b.read(at, end - at)]);
    const bytes = Math.min(one.length, other.length);
    for (let i = 0; i < bytes; i += 1) if (one[i] !== other[i]) return at + i;
    at += bytes;
  }
  return end;
}
