/** One call of the wrapped `fetch`: watched, entered in the ledger, and cut off at any time. */
import type { Hop, ResumePlan } from '../core/index.ts';
import type { Life } from './life.ts';
import type { Waiting } from './waiting.ts';
import type { WaitWatch } from './watch.ts';

export class FetchHop {
  readonly #life: Life;
  readonly #watch: WaitWatch;
  readonly #waiting: Waiting;
  readonly #fromByte: number | undefined;
  readonly #abort = new AbortController();
  #startedAtMs: number | undefined;
  #record: Hop | undefined;
  /** Held beside its body: undici cancels the body of a response that was collected. */
  #response: Response | undefined;
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #isOver = false;

  constructor(life: Life, plan: ResumePlan | undefined, watch: WaitWatch, waiting: Waiting) {
    this.#life = life;
    this.#fromByte = plan !== undefined && 'fromByte' in plan ? plan.fromByte : undefined;
    this.#watch = watch;
    this.#waiting = waiting;
  }

  /** Rejects as the wrapped `fetch` does, or with what cut the wait short. */
  async send(input: string | URL | Request, init: RequestInit): Promise<Response> {
    this.#startedAtMs = this.#life.nowMs;
    this.#watch.begin('wait');
    try {
      const response = await this.#waiting.for(this.#call(input, init));
      this.#recordAnswer(response);
      return response;
    } finally {
      this.#watch.end(0);
    }
  }

  async #call(input: string | URL | Request, init: RequestInit): Promise<Response> {
    // As a bare function: a browser's refuses to be the method of another object.
    const { fetch } = this.#life.shared;
    const response = await fetch(input, { ...init, signal: this.#abort.signal });
    this.#response = response;
    // A `fetch` that does not hear its signal answers a hop that is over.
    if (this.#isOver) response.body?.cancel().catch(() => {});
    return response;
  }

  /** The next chunk, or undefined at the body's end. */
  async read(): Promise<Uint8Array | undefined> {
    // No lock before it is wanted: the platform can still clean up after an answer that nobody reads.
    this.#reader ??= this.#response!.body!.getReader();
    let bytes = 0;
    this.#watch.begin('body');
    try {
      const { value, done } = await this.#waiting.for(this.#reader.read());
      if (done) this.#isOver = true;
      bytes = value?.byteLength ?? 0;
      this.#count(bytes);
      return value;
    } finally {
      this.#watch.end(bytes);
    }
  }

  #count(bytes: number): void {
    this.#life.ledger.receivedBytes += bytes;
    if (this.#record !== undefined) this.#record.bodyBytes += bytes;
  }

  /** Enters the hop in the ledger: it went out, or may have. */
  recordSent(): void {
    if (this.#isOver || this.#record !== undefined || this.#startedAtMs === undefined) return;
    const { ledger, attempt } = this.#life;
    this.#record = ledger.addHop(attempt, this.#life.url, this.#startedAtMs, this.#fromByte);
  }

  #recordAnswer({ status, redirected, url }: Response): void {
    this.recordSent();
    const { ledger, attempt, nowMs } = this.#life;
    // Of a chain of redirects a `fetch` shows the last address only.
    if (redirected) this.#record = ledger.addHop(attempt, url, nowMs, this.#fromByte);
    this.#record!.status = status;
  }

  /** Its answer goes to the caller as it is. */
  letGo(): void {
    this.#isOver = true;
  }

  /** Cuts it off, wherever it is. */
  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const reason = new DOMException('This attempt is not needed any more', 'AbortError');
    this.#abort.abort(reason);
    const cancelled = this.#reader === undefined ? this.#response?.body?.cancel(reason) : this.#reader.cancel(reason);
    cancelled?.catch(() => {});
  }
}
