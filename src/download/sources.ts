/** The addresses of one file: which is asked, which came to nothing in this run, and what was remembered of their hosts. */

/** What is known of a host from earlier runs. */
export interface HostMemory {
  readonly bytesPerSecond?: number | undefined;
  /** Milliseconds since 1970. */
  readonly failedAtMs?: number | undefined;
}

/** A failure older than this says nothing. */
const FORGOTTEN_AFTER_MS = 10 * 60_000;

interface Source {
  readonly url: string;
  /** It said for good that it has no such file. */
  isRefused: boolean;
  /** It failed since all were last tried in turn. */
  hasFailed: boolean;
}

export class Sources {
  readonly #sources: readonly Source[];
  #current: Source;

  constructor(urls: readonly string[], memory: ReadonlyMap<string, HostMemory>, wallMs: number) {
    this.#sources = inOrder([...new Set(urls)], memory, wallMs).map((url) => ({
      url,
      isRefused: false,
      hasFailed: false,
    }));
    this.#current = this.#sources[0]!;
  }

  get current(): string {
    return this.#current.url;
  }

  /** There is another one that may do better now. */
  get hasOther(): boolean {
    return this.#next() !== undefined;
  }

  #next(): Source | undefined {
    return this.#sources.find((one) => one !== this.#current && !one.isRefused && !one.hasFailed);
  }

  /** The current one failed, and may do better later. @returns whether another one is the current one now */
  fail(): boolean {
    this.#current.hasFailed = true;
    return this.#move();
  }

  /** The current one has said for good that it cannot. */
  refuse(): boolean {
    this.#current.isRefused = true;
    return this.#move();
  }

  #move(): boolean {
    const next = this.#next();
    if (next !== undefined) this.#current = next;
    return next !== undefined;
  }

  /** All have failed once: after a wait each gets its turn again. @returns false where none is left */
  beginRound(): boolean {
    for (const one of this.#sources) one.hasFailed = false;
    const next = this.#sources.find(({ isRefused }) => !isRefused);
    if (next !== undefined) this.#current = next;
    return next !== undefined;
  }
}

/** Those that failed lately come last; of the others the unknown ones first, to be known, and then the fastest. */
function inOrder(urls: readonly string[], memory: ReadonlyMap<string, HostMemory>, wallMs: number): readonly string[] {
  const rank = (url: string): number => {
    const { bytesPerSecond, failedAtMs } = memory.get(new URL(url).host) ?? {};
    const hasFailed = failedAtMs !== undefined && wallMs - failedAtMs < FORGOTTEN_AFTER_MS;
    return hasFailed ? -1 : (bytesPerSecond ?? Number.POSITIVE_INFINITY);
  };
  return urls
    .map((url, i) => ({ url, i, rank: rank(url) }))
    .sort(byRank)
    .map(({ url }) => url);
}

interface Ranked {
  readonly i: number;
  readonly rank: number;
}

function byRank(a: Ranked, b: Ranked): number {
  return a.rank === b.rank ? a.i - b.i : b.rank - a.rank;
}
