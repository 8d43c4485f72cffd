import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import type { Writable } from 'node:stream';
import { ConfigError, type Integrity, type Ledger, redactUrl, show } from '../core/index.ts';
import { type Client, type ClientOptions, createClient } from '../http/index.ts';
import { systemRuntime } from '../runtime/index.ts';
import { type DigestAlgorithm, parseChecksum } from './checksum.ts';
import { clientOptionsForDownload, GET_ATTEMPTS } from './client-defaults.ts';
import type { DownloadListener, ProgressListener } from './events.ts';
import { checkHeader } from './header-rules.ts';
import { checkTarget } from './move-into-place.ts';
import { PartFile } from './part-file.ts';
import { StreamOutput } from './stream-output.ts';
import { type TransferJob, type TransferOutcome, transfer } from './transfer.ts';

/** How a download goes: a client's options (ten attempts by default), and its own. */
export interface DownloadOptions extends Omit<ClientOptions, 'onEvent'> {
  /** Where the file will be. Its folder must exist. */
  readonly to: string;
  /** Replace what is there. @default false */
  readonly force?: boolean;
  /** What the content must be: `sha256:HEX`, `sha512:`, `sha1:`, `md5:`, or SRI. @default the server's word, if it gives one */
  readonly checksum?: string | undefined;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** An abort rejects with the signal's own reason; what was downloaded stays, and the next call continues it. */
  readonly signal?: AbortSignal | undefined;
  /** Whose connections to use; of the client's options here only `retry.maxAttempts` and `timeouts.deadlineMs` still count. */
  readonly client?: Client | undefined;
  readonly onEvent?: DownloadListener | undefined;
  /** Called for every piece of the body. */
  readonly onProgress?: ProgressListener | undefined;
}

export interface StreamResult {
  readonly bytes: number;
  /** Hex. */
  readonly sha256: string;
  /** How the end is known: by a digest, by its length, by its framing, or not at all. */
  readonly integrity: Integrity;
  readonly attempts: number;
  readonly hops: number;
  /** Received more than once. */
  readonly refetchedBytes: number;
  readonly waitedMs: number;
  readonly durationMs: number;
  /** What a person should know, though it went well. */
  readonly notes: readonly string[];
  readonly ledger: Ledger;
}

export interface DownloadResult extends StreamResult {
  /** Absolute. */
  readonly path: string;
  /** Of an earlier run, and not fetched again. */
  readonly resumedBytes: number;
}

/**
 * Downloads a URL to a file: into `FILE.reknit/` beside it, which the next call continues whatever happened to this one,
 * and by an atomic rename to its name once the bytes are proven and on the disk.
 *
 * @throws ConfigError for a wrong option, before anything is sent or written
 * @throws LocalError if the target exists (without `force`), another process is downloading to it, or the disk fails
 * @throws IntegrityError if the content is not what the checksum, or the server, says it is
 * @throws GaveUpError, ContentChangedError, DeadlineError as a client's requests do
 * @example
 * ```ts
 * import { download } from 'reknit/download';
 * const { sha256, attempts } = await download('https://example.com/file.iso', { to: 'file.iso' });
 * console.log(sha256, attempts);
 * ```
 */
export async function download(url: string | URL, options: DownloadOptions): Promise<DownloadResult> {
  const startedAtMs = systemRuntime.clock.nowMs();
  const target = resolve(checkPath(options.to));
  const door = openDoor(url, options);
  try {
    return await downloadFile(target, options, door.job, startedAtMs);
  } finally {
    await door.close();
  }
}

async function downloadFile(
  target: string,
  options: DownloadOptions,
  job: TransferJob,
  startedAtMs: number,
): Promise<DownloadResult> {
  const { force = false, signal, onEvent } = options;
  await checkTarget(target, { force });
  signal?.throwIfAborted();
  const part = await PartFile.open({ target, urlSha256: digestOf(job.url), algorithms: algorithmsOf(job), signal });
  try {
    // Whoever had the lock before us may have brought the file.
    await checkTarget(target, { force });
    const { bytes: keptBytes } = part.held ?? { bytes: 0 };
    if (keptBytes > 0) onEvent?.({ type: 'found', url: redactUrl(job.url), keptBytes });
    const resumed = watchRestarts(job, keptBytes);
    const outcome = await transfer(resumed.job, part, part.isOfUrl);
    const summary = summarize(outcome, part.atByte, resumed.bytes(), part.digestHex('sha256')!, startedAtMs);
    await part.commit({ force });
    return { path: target, resumedBytes: resumed.bytes(), ...summary };
  } catch (error) {
    await part.keep();
    tellKept(part, job);
    throw error;
  }
}

function tellKept(part: PartFile, { url, checksum, onEvent }: TransferJob): void {
  const { durableBytes: keptBytes, folder, representation } = part;
  if (keptBytes === 0) return;
  const { totalBytes, validator } = representation ?? {};
  const canContinue = validator !== undefined || checksum !== undefined;
  const total = totalBytes === undefined ? {} : { totalBytes };
  onEvent?.({ type: 'kept', url: redactUrl(url), keptBytes, ...total, folder, canContinue });
}

/**
 * Downloads a URL into a stream, which is not ended. What has gone into it cannot be taken back: a content that changes
 * after its first byte is a ContentChangedError, and a wrong digest is known only at the end.
 *
 * @throws as `download` does
 */
export async function downloadTo(
  output: Writable,
  url: string | URL,
  options: Omit<DownloadOptions, 'to' | 'force'> = {},
): Promise<StreamResult> {
  const startedAtMs = systemRuntime.clock.nowMs();
  const door = openDoor(url, options);
  const signal = options.signal ?? new AbortController().signal;
  signal.throwIfAborted();
  const stream = new StreamOutput(output, algorithmsOf(door.job), signal);
  try {
    const outcome = await transfer(door.job, stream, true);
    return summarize(outcome, stream.atByte, 0, stream.digestHex('sha256')!, startedAtMs);
  } finally {
    await door.close();
  }
}

interface Door {
  readonly job: TransferJob;
  close(): Promise<void>;
}

/** Options are resolved once, here: nothing was sent or written before. */
function openDoor(url: string | URL, options: Omit<DownloadOptions, 'to'>): Door {
  const { checksum, headers = {}, signal, client, onEvent, onProgress, force: _force, ...rest } = options;
  const { to: _to, ...clientOptions } = rest as typeof rest & { readonly to?: string };
  const target = checkUrl(url);
  for (const [name, value] of Object.entries(headers)) {
    for (const one of typeof value === 'string' ? [value] : value) checkHeader(name, one, 'use the header');
  }
  const expected = checksum === undefined ? undefined : parseChecksum(checksum, 'use the checksum');
  const own = client ?? createClient(clientOptionsForDownload(clientOptions));
  return {
    job: {
      url: target,
      headers,
      checksum: expected,
      client: own,
      signal,
      deadlineMs: options.timeouts?.deadlineMs,
      maxRestarts: options.retry?.maxAttempts ?? GET_ATTEMPTS,
      onEvent,
      onProgress,
    },
    close: async () => {
      if (own !== client) await own.destroy();
    },
  };
}

function algorithmsOf({ checksum }: TransferJob): readonly DigestAlgorithm[] {
  return checksum === undefined ? [] : [checksum.algorithm];
}

function checkUrl(url: string | URL): string {
  const parsed = URL.canParse(String(url)) ? new URL(url) : undefined;
  if (parsed?.protocol !== 'http:' && parsed?.protocol !== 'https:') {
    throw new ConfigError(
      `Cannot download as the URL must be an absolute http or https URL: received ${show(redactUrl(String(url)))}`,
    );
  }
  return parsed.href;
}

function checkPath(to: unknown): string {
  if (typeof to === 'string' && to !== '' && !to.includes('\0')) return to;
  throw new ConfigError(`Cannot download as \`to\` must be a path: received ${show(to)}`);
}

function digestOf(url: string): string {
  return createHash('sha256').update(url).digest('hex');
}

/** Bytes of an earlier run count as resumed until they are thrown away. */
function watchRestarts(job: TransferJob, keptBytes: number): { readonly job: TransferJob; bytes(): number } {
  let bytes = keptBytes;
  const onEvent: DownloadListener = (event) => {
    if (event.type === 'restart') bytes = 0;
    job.onEvent?.(event);
  };
  return { job: { ...job, onEvent }, bytes: () => bytes };
}

function summarize(
  { ledger, integrity, notes }: TransferOutcome,
  bytes: number,
  resumedBytes: number,
  sha256: string,
  startedAtMs: number,
): StreamResult {
  return {
    bytes,
    sha256,
    integrity,
    attempts: ledger.attemptCount,
    hops: ledger.hopCount,
    refetchedBytes: Math.max(0, ledger.receivedBytes - (bytes - resumedBytes)),
    waitedMs: ledger.waitedMs,
    durationMs: systemRuntime.clock.nowMs() - startedAtMs,
    notes,
    ledger,
  };
}
