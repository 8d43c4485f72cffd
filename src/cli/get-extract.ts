/** `reknit get URL --extract DIR`: the unpacker reads a body that heals; what cannot be healed is thrown away, and begun anew. */
import { rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import {
  GaveUpError,
  type GiveUpReason,
  isReknitError,
  redactUrl,
  tagFailure,
  truncatedFailure,
} from '../core/index.ts';
import {
  type DownloadOptions,
  download,
  downloadTo,
  GET_ATTEMPTS,
  type Progress,
  type StreamResult,
} from '../download/index.ts';
import {
  ArchiveError,
  type ArchiveInput,
  checkExtractTarget,
  type ExtractOptions,
  type ExtractResult,
  extract,
} from '../extract/index.ts';
import { systemRuntime } from '../runtime/index.ts';
import type { ExtractPlan } from './get-extract-settings.ts';
import type { ExtractSummary } from './get-extract-summary.ts';
import type { Reporter } from './reporter.ts';

export interface ExtractJob {
  readonly url: string;
  readonly plan: ExtractPlan;
  readonly force: boolean;
  readonly options: Omit<DownloadOptions, 'to' | 'force'>;
  readonly reporter: Reporter;
}

export async function downloadAndExtract(job: ExtractJob): Promise<ExtractSummary> {
  return new ExtractRun(job).run();
}

/** What one beginning came to. */
interface Got {
  readonly unpacked: ExtractResult;
  readonly download: StreamResult & { readonly resumedBytes?: number };
}

/** What a new beginning can mend: it asks from byte 0. */
const mendedByBeginningAnew: ReadonlySet<GiveUpReason> = new Set(['content-changed', 'live-body', 'not-resumable']);

class ExtractRun {
  readonly #job: ExtractJob;
  readonly #startedAtMs = systemRuntime.clock.nowMs();
  #unpackerStarts = 0;
  #skipsCaches = false;
  /** Of the beginning at hand. */
  #progress: Progress | undefined;
  #download: StreamResult | undefined;
  /** Of beginnings that were thrown away. */
  #lost = { attempts: 0, bytes: 0 };

  constructor(job: ExtractJob) {
    this.#job = job;
  }

  async run(): Promise<ExtractSummary> {
    const { plan, force } = this.#job;
    await checkExtractTarget(plan.into, { force });
    const maxBeginnings = this.#job.options.retry?.maxAttempts ?? GET_ATTEMPTS;
    for (let beginning = 1; ; beginning += 1) {
      this.#progress = undefined;
      this.#download = undefined;
      try {
        return this.#summarize(await (plan.mode === 'file' ? this.#fromFile() : this.#fromStream()));
      } catch (error) {
        const because = this.#whyAgain(error);
        if (because === undefined || beginning >= maxBeginnings) throw this.#final(error);
        this.#throwAway(because);
      }
    }
  }

  async #fromStream(): Promise<Got> {
    const { url, options } = this.#job;
    const unpacked = await this.#extract(
      async (output, signal) => {
        this.#download = await downloadTo(output, url, { ...this.#downloadOptions(), signal });
      },
      options.checksum === undefined ? 'stop' : 'prove-source',
    );
    return { unpacked, download: this.#download! };
  }

  /** The part of the archive is kept when it is interrupted, as that of any download. */
  async #fromFile(): Promise<Got> {
    const { url, plan } = this.#job;
    const archive = `${resolve(plan.into)}.reknit-archive`;
    // The name is ours: what an earlier run left under it is nobody's.
    const got = await download(url, { ...this.#downloadOptions(), to: archive, force: true });
    this.#download = got;
    try {
      return { unpacked: await this.#extract(archive, 'stop'), download: got };
    } finally {
      await rm(archive, { force: true });
    }
  }

  #extract(source: ArchiveInput, afterTrouble: 'stop' | 'prove-source'): Promise<ExtractResult> {
    const { url, plan, force, options, reporter } = this.#job;
    const extractOptions: ExtractOptions = {
      into: plan.into,
      force,
      limits: plan.limits,
      hint: new URL(url).pathname,
      signal: options.signal,
      afterTrouble,
      onStart: (format) => {
        this.#unpackerStarts += 1;
        reporter.unpacking(format, this.#unpackerStarts);
      },
      onProgress: reporter.unpacked.bind(reporter),
    };
    return extract(source, extractOptions);
  }

  #downloadOptions(): ExtractJob['options'] {
    const { options } = this.#job;
    const { deadlineMs } = options.timeouts ?? {};
    const spentMs = systemRuntime.clock.nowMs() - this.#startedAtMs;
    const left = deadlineMs === undefined ? {} : { deadlineMs: Math.max(1, Math.round(deadlineMs - spentMs)) };
    const pastCaches = this.#skipsCaches ? { 'cache-control': 'no-cache', pragma: 'no-cache' } : {};
    return {
      ...options,
      timeouts: { ...options.timeouts, ...left },
      headers: { ...options.headers, ...pastCaches },
      onProgress: (progress) => {
        this.#progress = progress;
        options.onProgress?.(progress);
      },
    };
  }

  /** Undefined where a new beginning would bring the same. */
  #whyAgain(error: unknown): string | undefined {
    if (this.#job.options.signal?.aborted === true || !isReknitError(error)) return undefined;
    if (error.code === 'ERR_REKNIT_CONTENT_CHANGED') return 'the content changed';
    if (this.#isUnprovenCut(error)) return 'the archive is cut, and nobody knows its length';
    // A file is fetched again by the download itself.
    if (this.#job.plan.mode === 'file') return undefined;
    if (error instanceof GaveUpError) {
      const isStuck = error.reason === 'deterministic' && error.failure?.kind === 'bad-resume';
      return isStuck || mendedByBeginningAnew.has(error.reason) ? 'the rest cannot be had' : undefined;
    }
    // Once, past caches: the same wrong bytes twice are no accident of the wire.
    if (error.failure?.kind !== 'digest-mismatch' || this.#skipsCaches) return undefined;
    this.#skipsCaches = true;
    return 'the content is wrong';
  }

  #isUnprovenCut(error: unknown): boolean {
    return (
      error instanceof ArchiveError && error.trouble === 'truncated' && this.#download?.integrity === 'unverifiable'
    );
  }

  #throwAway(because: string): void {
    const { url, reporter } = this.#job;
    const { bytes, attemptNumber } = this.#progress ?? { bytes: 0, attemptNumber: 1 };
    this.#lost = { attempts: this.#lost.attempts + attemptNumber, bytes: this.#lost.bytes + bytes };
    reporter.event({ type: 'restart', url: redactUrl(url), because, lostBytes: bytes });
  }

  /** The error for a run that ends here: a cut is told as one, and what another run would bring is said. */
  #final(error: unknown): unknown {
    const { url, reporter } = this.#job;
    const integrity = this.#download?.integrity;
    if (!(error instanceof ArchiveError)) return error;
    if (this.#isUnprovenCut(error)) return truncation(error, this.#download!, url);
    if (integrity !== undefined && (error.trouble === 'corrupt' || error.trouble === 'truncated')) {
      const text = `the download itself is proven by its ${integrity}: another one would bring the same archive`;
      reporter.event({ type: 'note', url: redactUrl(url), text });
    }
    return error;
  }

  #summarize({ unpacked, download: got }: Got): ExtractSummary {
    for (const text of unpacked.notes) {
      this.#job.reporter.event({ type: 'note', url: redactUrl(this.#job.url), text });
    }
    return {
      ...got,
      unpacked,
      resumedBytes: got.resumedBytes ?? 0,
      unpackerStarts: this.#unpackerStarts,
      attempts: got.attempts + this.#lost.attempts,
      refetchedBytes: got.refetchedBytes + this.#lost.bytes,
      durationMs: systemRuntime.clock.nowMs() - this.#startedAtMs,
      notes: [...got.notes, ...unpacked.notes],
    };
  }
}

function truncation(cause: ArchiveError, { ledger, bytes }: StreamResult, url: string): GaveUpError {
  const what = `the body ended after ${bytes} bytes, in the middle of the archive, and the server gave no length`;
  const failure = truncatedFailure(what);
  const error = new GaveUpError('attempts-exhausted', `Cannot extract ${redactUrl(url)}: ${what}`, {
    cause,
    ledger,
    failure,
  });
  tagFailure(error, failure);
  return error;
}
