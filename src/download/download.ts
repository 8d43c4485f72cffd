import { resolve } from 'node:path';
import type { Writable } from 'node:stream';
import { groupDigits, type Ledger, redactUrl } from '../core/index.ts';
import { systemRuntime } from '../runtime/index.ts';
import { BufferOutput } from './buffer-output.ts';
import type { DigestAlgorithm } from './checksum.ts';
import { type Disk, realDisk } from './disk.ts';
import { checkPath, type Door, openDoor } from './door.ts';
import type { BufferResult, DownloadOptions, DownloadResult, FetchOptions, StreamResult } from './download-options.ts';
import type { DownloadListener } from './events.ts';
import type { Pace } from './limits.ts';
import { checkTarget } from './move-into-place.ts';
import { PartFile, type PartFileOptions, type PartStore } from './part-file.ts';
import { beginSmallPart, openSmallPart } from './small-part.ts';
import { StreamOutput } from './stream-output.ts';
import { transfer } from './transfer.ts';
import { wrongContent } from './transfer-failures.ts';
import type { TransferJob, TransferOutcome } from './transfer-job.ts';

/**
 * Downloads a URL to a file: into `FILE.reknit/` beside it, which the next call continues whatever happened to this one,
 * and by an atomic rename to its name once the bytes are proven and on the disk. A large file comes over several
 * connections while they bring more than one.
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
export function download(url: string | URL, options: DownloadOptions): Promise<DownloadResult> {
  return downloadOn(realDisk, url, options);
}

/** What a batch adds to one of its downloads. */
export interface DownloadHooks {
  /** The rate that all of them share. */
  readonly pace?: Pace | undefined;
  /** Another length is wrong, whatever proves it. */
  readonly expectedBytes?: number | undefined;
  /** The bytes are proven and stand at `path`; they get their name when this has settled. */
  readonly onProven?: ((proven: ProvenPart) => Promise<void>) | undefined;
  /** One of many, which are mostly small: such a one touches the disk when it is whole. */
  readonly isOneOfMany?: boolean;
  /** Somebody has looked: neither the target nor anything of an earlier run is there. */
  readonly isNothingThere?: boolean;
}

export interface ProvenPart {
  readonly path: string;
  readonly result: StreamResult;
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
}

/** On a disk that tests may break. */
export async function downloadOn(
  disk: Disk,
  url: string | URL,
  options: DownloadOptions,
  hooks: DownloadHooks = {},
): Promise<DownloadResult> {
  const startedAtMs = systemRuntime.clock.nowMs();
  const target = resolve(checkPath(options.to));
  const door = openDoor(url, options, target);
  try {
    if (hooks.isNothingThere !== true) await checkTarget(disk, target, { force: options.force ?? false });
    options.signal?.throwIfAborted();
    return await downloadFile({ disk, target, door, startedAtMs, hooks }, options);
  } finally {
    await door.close();
  }
}

interface FileRun {
  readonly disk: Disk;
  readonly target: string;
  readonly door: Door;
  readonly startedAtMs: number;
  readonly hooks: DownloadHooks;
}

async function downloadFile(run: FileRun, { force = false }: DownloadOptions): Promise<DownloadResult> {
  const { disk, target, door, startedAtMs, hooks } = run;
  const job = { ...(await door.job()), ...(hooks.pace === undefined ? {} : { pace: hooks.pace }) };
  const opened = { disk, target, algorithms: algorithmsOf(job) };
  const part = await openPart(opened, hooks);
  try {
    // Whoever had the lock before us may have brought the file.
    if (part instanceof PartFile) await checkTarget(disk, target, { force });
    const { gotBytes: keptBytes } = part;
    if (keptBytes > 0) job.onEvent?.({ type: 'found', url: redactUrl(job.url), keptBytes });
    const resumed = watchRestarts(job, keptBytes);
    const outcome = await transfer(resumed.job, part);
    const summary = summarize(outcome, part.gotBytes, resumed.bytes(), startedAtMs);
    await checkLength(part, job, outcome.ledger, hooks.expectedBytes);
    const { etag, lastModified } = part.representation ?? {};
    const path = await part.prepare();
    await hooks.onProven?.({ path, result: summary, etag, lastModified });
    await part.commit({ force });
    await door.remember(outcome, summary);
    return { path: target, resumedBytes: resumed.bytes(), ...summary };
  } catch (error) {
    await part.keep();
    tellKept(part, job);
    throw error;
  }
}

async function openPart(options: PartFileOptions, { isOneOfMany, isNothingThere }: DownloadHooks): Promise<PartStore> {
  if (isOneOfMany !== true) return PartFile.open(options);
  return isNothingThere === true ? beginSmallPart(options) : openSmallPart(options);
}

async function checkLength(
  part: PartStore,
  { url }: TransferJob,
  ledger: Ledger,
  expectedBytes: number | undefined,
): Promise<void> {
  const { gotBytes } = part;
  if (expectedBytes === undefined || gotBytes === expectedBytes) return;
  await part.discard();
  const what = `expected ${groupDigits(expectedBytes)} bytes, got ${groupDigits(gotBytes)}`;
  throw wrongContent(what, { url: redactUrl(url), ledger });
}

function tellKept(part: PartStore, { url, checksum, onEvent }: TransferJob): void {
  const { durableBytes: keptBytes, folder, representation } = part;
  if (keptBytes === 0) return;
  const { totalBytes, validator } = representation ?? {};
  const canContinue = validator !== undefined || checksum !== undefined;
  const total = totalBytes === undefined ? {} : { totalBytes };
  onEvent?.({ type: 'kept', url: redactUrl(url), keptBytes, ...total, folder, canContinue });
}

/**
 * Downloads a URL into a stream, which is not ended, over one connection. What has gone into it cannot be taken back: a
 * content that changes after its first byte is a ContentChangedError, and a wrong digest is known only at the end.
 *
 * @throws as `download` does
 */
export async function downloadTo(
  output: Writable,
  url: string | URL,
  options: FetchOptions = {},
): Promise<StreamResult> {
  const startedAtMs = systemRuntime.clock.nowMs();
  const signal = options.signal ?? new AbortController().signal;
  const door = openDoor(url, options, undefined);
  try {
    signal.throwIfAborted();
    const job = await door.job();
    const stream = new StreamOutput(output, algorithmsOf(job), signal);
    const outcome = await transfer(job, stream);
    return summarize(outcome, stream.gotBytes, 0, startedAtMs);
  } finally {
    await door.close();
  }
}

/**
 * Downloads a URL into memory: whole and proven, or not at all.
 *
 * @throws as `download` does
 */
export async function downloadToBuffer(url: string | URL, options: FetchOptions = {}): Promise<BufferResult> {
  const startedAtMs = systemRuntime.clock.nowMs();
  const door = openDoor(url, options, undefined);
  try {
    options.signal?.throwIfAborted();
    const job = await door.job();
    const buffer = new BufferOutput(algorithmsOf(job));
    const outcome = await transfer(job, buffer);
    return { body: buffer.bytes(), ...summarize(outcome, buffer.gotBytes, 0, startedAtMs) };
  } finally {
    await door.close();
  }
}

function algorithmsOf({ checksum }: TransferJob): readonly DigestAlgorithm[] {
  return checksum === undefined ? [] : [checksum.algorithm];
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
  { ledger, integrity, notes, sha256, connections }: TransferOutcome,
  bytes: number,
  resumedBytes: number,
  startedAtMs: number,
): StreamResult {
  return {
    bytes,
    sha256,
    integrity,
    attempts: ledger.attemptCount,
    hops: ledger.hopCount,
    connections,
    refetchedBytes: Math.max(0, ledger.receivedBytes - (bytes - resumedBytes)),
    waitedMs: ledger.waitedMs,
    durationMs: systemRuntime.clock.nowMs() - startedAtMs,
    notes,
    ledger,
  };
}
