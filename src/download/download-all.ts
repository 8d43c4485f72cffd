import { resolve } from 'node:path';
import { ConfigError, show } from '../core/index.ts';
import { createClient } from '../http/index.ts';
import { systemRuntime } from '../runtime/index.ts';
import { type CheckedEntry, checkEntries } from './batch-entries.ts';
import { type BatchParts, CreatedFolders, EntryRun, NamesBefore } from './batch-entry-run.ts';
import { LARGE_BYTES, Lanes } from './batch-lanes.ts';
import type { BatchEntry, BatchOptions, BatchOutcome, BatchResult } from './batch-options.ts';
import { clientOptionsForBatch } from './client-defaults.ts';
import { createHostLimits } from './host-limits.ts';
import { Pace } from './limits.ts';
import { ProvenFiles } from './proven-files.ts';

/** Files at the same time. */
export const DEFAULT_JOBS = 8;
const MAX_JOBS = 256;

/**
 * Downloads many files, each with its own fate: one that fails cancels nobody. A second run skips what is there and
 * proven, and finishes the rest. Connections per host are limited, adapt, and with `stateFolder` are shared by all
 * processes that use the same one.
 *
 * @throws ConfigError for a wrong option or entry, and for two entries of one output, before anything is sent or written
 * @throws the signal's own reason when it is aborted; what was downloaded stays, and the next call continues it
 * @example
 * ```ts
 * import { downloadAll } from 'reknit/download';
 * const files = ['a.iso', 'b.iso'].map((name) => ({ url: `https://example.com/${name}`, to: name }));
 * const { outcomes } = await downloadAll(files, { folder: 'images' });
 * console.log(outcomes.filter(({ kind }) => kind === 'failed').length, 'failed');
 * ```
 */
export async function downloadAll(entries: Iterable<BatchEntry>, options: BatchOptions = {}): Promise<BatchResult> {
  const startedAtMs = systemRuntime.clock.nowMs();
  const { jobs = DEFAULT_JOBS, folder = '.', signal, stateFolder } = options;
  if (!Number.isSafeInteger(jobs) || jobs < 1 || jobs > MAX_JOBS) {
    throw new ConfigError(`Cannot download as jobs must be an integer from 1 to ${MAX_JOBS}: received ${show(jobs)}`);
  }
  const files = checkEntries([...entries], resolve(folder));
  const client = options.client ?? createClient(clientOptionsForBatch(clientOptionsOf(options), jobs, files.length));
  const limits = options.limits ?? createHostLimits({ stateFolder });
  try {
    signal?.throwIfAborted();
    const proven = await ProvenFiles.open(stateFolder);
    const [folders, namesBefore] = [new CreatedFolders(), new NamesBefore()];
    const outcomes = await new Batch({ files, jobs, options, client, limits, proven, folders, namesBefore }).run();
    const bytes = outcomes.reduce((sum, one) => sum + (one.kind === 'done' ? one.result.bytes : 0), 0);
    return { outcomes, bytes, durationMs: systemRuntime.clock.nowMs() - startedAtMs };
  } finally {
    if (client !== options.client) await client.destroy();
    if (limits !== options.limits) await (limits as ReturnType<typeof createHostLimits>).close();
  }
}

/** What `createClient` knows. */
function clientOptionsOf({ retry, timeouts, budget, connections, tls, proxy, socketPath }: BatchOptions): object {
  const all = { retry, timeouts, budget, connections, tls, proxy, socketPath };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

interface BatchSettings extends BatchParts {
  readonly files: readonly CheckedEntry[];
  readonly jobs: number;
}

class Batch {
  readonly #settings: BatchSettings;
  readonly #lanes: Lanes;
  readonly #outcomes: BatchOutcome[] = [];
  readonly #pace: Pace | undefined;
  readonly #running = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | undefined;

  constructor(settings: BatchSettings) {
    this.#settings = settings;
    const { files, jobs, options } = settings;
    const queued = files.map(({ index, entry: { size } }) => ({
      index,
      isLarge: size !== undefined && size >= LARGE_BYTES,
    }));
    this.#lanes = new Lanes(jobs, queued);
    this.#pace = options.limitRate === undefined ? undefined : new Pace(options.limitRate, systemRuntime.clock);
  }

  async run(): Promise<readonly BatchOutcome[]> {
    const { signal } = this.#settings.options;
    while (signal?.aborted !== true && this.#failure === undefined) {
      this.#startSome();
      if (this.#running.size === 0) break;
      await Promise.race(this.#running);
    }
    await Promise.all(this.#running);
    if (this.#failure !== undefined) throw this.#failure.error;
    signal?.throwIfAborted();
    return this.#outcomes;
  }

  #startSome(): void {
    for (let next = this.#lanes.next(); next !== undefined; next = this.#lanes.next()) {
      const { index, isLarge } = next;
      const run = this.#runOne(this.#settings.files[index]!, isLarge)
        .catch((error: unknown) => {
          // A listener's own bug, not the file's.
          this.#failure ??= { error };
        })
        .finally(() => this.#running.delete(run));
      this.#running.add(run);
    }
  }

  async #runOne(file: CheckedEntry, isLarge: boolean): Promise<void> {
    const { options } = this.#settings;
    const { index, entry, path } = file;
    // Its end came before it heard that it was to wait.
    if (this.#outcomes[index] !== undefined) return this.#lanes.ended(isLarge);
    const run = new EntryRun(this.#settings, file, this.#pace, isLarge ? undefined : () => this.#lanes.grew(index));
    const end = await run.end().catch((error: unknown) => ({ kind: 'failed', error }) as const);
    if (!run.isPostponed) this.#lanes.ended(isLarge || run.isLarge);
    if (end.kind === 'failed' && (run.isPostponed || options.signal?.aborted === true)) return;
    const outcome = { index, entry, path, ...end };
    this.#outcomes[index] = outcome;
    options.onOutcome?.(outcome);
  }
}
