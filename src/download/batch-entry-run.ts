/** One file of a batch, from the look whether it is there to its name. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { IntegrityError, redactUrl } from '../core/index.ts';
import type { Client } from '../http/index.ts';
import type { CheckedEntry } from './batch-entries.ts';
import { LARGE_BYTES } from './batch-lanes.ts';
import type { BatchEvent, BatchOptions } from './batch-options.ts';
import { type Checksum, parseChecksumSource } from './checksum.ts';
import { lookUpChecksum } from './checksum-list.ts';
import { realDisk } from './disk.ts';
import { type DownloadHooks, downloadOn, type ProvenPart } from './download.ts';
import type { DownloadOptions, DownloadResult } from './download-options.ts';
import type { DownloadEvent, Progress } from './events.ts';
import type { HostWait } from './host-gate.ts';
import type { ConnectionLimits, Pace } from './limits.ts';
import { errnoOf, LocalError, onDisk } from './local-error.ts';
import { folderOf, removePart, wholePathOf } from './part-file.ts';
import type { ProvenFile, ProvenFiles } from './proven-files.ts';

/** What all files of a batch share. */
export interface BatchParts {
  readonly options: BatchOptions;
  readonly client: Client;
  readonly limits: ConnectionLimits;
  readonly proven: ProvenFiles;
  readonly folders: CreatedFolders;
  readonly namesBefore: NamesBefore;
}

/** Each is created once. */
export class CreatedFolders {
  readonly #created = new Map<string, Promise<unknown>>();

  create(path: string): Promise<unknown> {
    const known = this.#created.get(path) ?? onDisk('create', path, () => mkdir(path, { recursive: true }));
    this.#created.set(path, known);
    return known;
  }
}

/** What was there when the batch began; each folder is read once. */
export class NamesBefore {
  readonly #names = new Map<string, Promise<ReadonlySet<string> | undefined>>();
  readonly #begun = new Set<string>();

  /**
   * Neither the target nor anything of an earlier run, this batch's own first try included (a large file may have to wait
   * and begin again). What others bring meanwhile is met when the target gets its name.
   */
  async isNothingOf(target: string): Promise<boolean> {
    if (this.#begun.has(target)) return false;
    this.#begun.add(target);
    const names = await this.#in(dirname(target));
    const own = [target, folderOf(target), wholePathOf(target)];
    return names !== undefined && !own.some((path) => names.has(basename(path)));
  }

  /** What a process that died behind the last rename left beside a file that is there and proven. */
  async removeBehind(target: string): Promise<void> {
    const names = await this.#in(dirname(target));
    const left = [folderOf(target), wholePathOf(target)];
    if (names === undefined || !left.some((path) => names.has(basename(path)))) return;
    // One that is in use says so, and stays.
    await removePart({ disk: realDisk, target, algorithms: [] }).catch(() => {});
  }

  #in(folder: string): Promise<ReadonlySet<string> | undefined> {
    const names = this.#names.get(folder) ?? readNames(folder);
    this.#names.set(folder, names);
    return names;
  }
}

/** Undefined where it cannot be read, which says nothing about what is in it. */
async function readNames(folder: string): Promise<ReadonlySet<string> | undefined> {
  try {
    return new Set(await readdir(folder));
  } catch (error) {
    return errnoOf(error) === 'ENOENT' ? new Set() : undefined;
  }
}

export type EntryEnd =
  | { readonly kind: 'done'; readonly result: DownloadResult }
  | { readonly kind: 'skipped'; readonly because: 'checksum' | 'earlier-run'; readonly bytes: number };

export class EntryRun {
  readonly #settings: BatchParts;
  readonly #file: CheckedEntry;
  readonly #pace: Pace | undefined;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  #onGrew: (() => boolean) | undefined;
  /** It turned out to be. */
  isLarge = false;
  /** It is in its queue again. */
  isPostponed = false;
  #isNothingThere = false;

  constructor(settings: BatchParts, file: CheckedEntry, pace: Pace | undefined, onGrew: (() => boolean) | undefined) {
    this.#settings = settings;
    this.#file = file;
    this.#pace = pace;
    this.#onGrew = onGrew;
    const { signal } = settings.options;
    this.#signal = signal === undefined ? this.#stop.signal : AbortSignal.any([signal, this.#stop.signal]);
  }

  async end(): Promise<EntryEnd> {
    const { url, path } = this.#file;
    this.#tell({ type: 'start', url: redactUrl(url), path });
    const checksum = await this.#checksum();
    const found = await this.#look(checksum);
    if (found.kind === 'skipped') {
      await this.#settings.namesBefore.removeBehind(path);
      return found;
    }
    await this.#settings.folders.create(dirname(path));
    return { kind: 'done', result: await this.#download(checksum, found.mayReplace) };
  }

  async #checksum(): Promise<Checksum | undefined> {
    const { checksum } = this.#file.entry;
    if (checksum === undefined) return undefined;
    const { url, path: target } = this.#file;
    const source = parseChecksumSource(checksum, 'use the checksum');
    return lookUpChecksum(source, { url, target, client: this.#settings.client, signal: this.#signal });
  }

  // What is there.

  async #look(
    checksum: Checksum | undefined,
  ): Promise<(EntryEnd & { readonly kind: 'skipped' }) | { readonly kind: 'missing'; readonly mayReplace: boolean }> {
    const { path, urlSha256 } = this.#file;
    const { force = false } = this.#settings.options;
    this.#isNothingThere = await this.#settings.namesBefore.isNothingOf(path);
    if (this.#isNothingThere) return { kind: 'missing', mayReplace: force };
    const there = force ? undefined : await stat(path).catch(() => undefined);
    if (there?.isFile() !== true) return { kind: 'missing', mayReplace: force };
    const known = this.#settings.proven.get(path);
    const { size: bytes, mtimeMs } = there;
    const isOurs = known !== undefined && known.bytes === bytes && known.mtimeMs === mtimeMs;
    if (checksum !== undefined) {
      const { algorithm, hex } = checksum;
      const isProven = isOurs && algorithm === 'sha256' && known.sha256 === hex;
      if (isProven || (await digestOf(path, algorithm)) === hex) return { kind: 'skipped', because: 'checksum', bytes };
      throw new LocalError(
        `Cannot write ${path}: it exists, and its ${algorithm} is not the expected ${hex}; use --force to replace it`,
      );
    }
    if (!isOurs || known.urlSha256 !== urlSha256) return { kind: 'missing', mayReplace: false };
    // Ours, and nothing has proven it: it is fetched again.
    if (known.integrity === 'unverifiable') return { kind: 'missing', mayReplace: true };
    if (await this.#isNewest(known)) return { kind: 'skipped', because: 'earlier-run', bytes };
    throw new LocalError(
      `Cannot write ${path}: it exists, and the server has another version now; use --force to replace it`,
    );
  }

  /** A server that cannot say it, or cannot be reached, changes nothing about a file that is there and whole. */
  async #isNewest({ etag, lastModified, bytes }: ProvenFile): Promise<boolean> {
    if (etag === undefined && lastModified === undefined) return true;
    const { url, entry } = this.#file;
    const { client, limits, options } = this.#settings;
    const condition = etag === undefined ? { 'if-modified-since': lastModified! } : { 'if-none-match': etag };
    const lease = await limits.acquire(new URL(url).host, { signal: this.#signal, isExtra: false });
    try {
      const headers = { 'user-agent': 'reknit', ...options.headers, ...entry.headers, ...condition };
      const answer = await client.request(url, {
        headers: { ...headers, 'accept-encoding': 'identity' } as Record<string, string | string[]>,
        signal: this.#signal,
      });
      answer.body.on('error', () => {}).destroy();
      if (answer.statusCode !== 200) return true;
      const { etag: etagNow, 'last-modified': dateNow, 'content-length': length } = answer.headers;
      const isSame = etag === undefined ? dateNow === lastModified : etagNow === etag;
      return isSame && (length === undefined || Number(length) === bytes);
    } catch (error) {
      if (this.#signal.aborted) throw error;
      return true;
    } finally {
      lease.release();
    }
  }

  // The download.

  async #download(checksum: Checksum | undefined, mayReplace: boolean): Promise<DownloadResult> {
    try {
      return await this.#downloadOnce(checksum, mayReplace, {});
    } catch (error) {
      // A wrong length is asked for once more, past caches.
      const { size } = this.#file.entry;
      if (size === undefined || !(error instanceof IntegrityError) || checksum !== undefined) throw error;
      return await this.#downloadOnce(checksum, mayReplace, { 'cache-control': 'no-cache', pragma: 'no-cache' });
    }
  }

  #downloadOnce(
    checksum: Checksum | undefined,
    mayReplace: boolean,
    pastCaches: Readonly<Record<string, string>>,
  ): Promise<DownloadResult> {
    const { url, path, entry } = this.#file;
    const { options, client } = this.#settings;
    const { folder: _folder, jobs: _jobs, onOutcome: _onOutcome, limitRate: _limitRate, ...common } = options;
    const own: DownloadOptions = {
      ...common,
      to: path,
      force: mayReplace,
      client,
      signal: this.#signal,
      limits: this.#limits(),
      headers: { ...options.headers, ...entry.headers, ...pastCaches },
      onEvent: (event) => this.#onEvent(event),
      onProgress: (progress) => this.#onProgress(progress),
      ...(checksum === undefined ? {} : { checksum: `${checksum.algorithm}:${checksum.hex}` }),
      ...(entry.mirrors === undefined ? {} : { mirrors: entry.mirrors }),
    };
    const hooks: DownloadHooks = {
      pace: this.#pace,
      expectedBytes: entry.size,
      onProven: (part) => this.#record(part),
      isOneOfMany: true,
      isNothingThere: this.#isNothingThere,
    };
    return downloadOn(realDisk, url, own, hooks);
  }

  async #record({ path: partPath, result, etag, lastModified }: ProvenPart): Promise<void> {
    const { path, urlSha256 } = this.#file;
    const { proven } = this.#settings;
    if (!proven.isKept) return;
    const { size: bytes, mtimeMs } = await stat(partPath);
    const { integrity, sha256 } = result;
    await proven.add({ path, urlSha256, bytes, mtimeMs, integrity, sha256, etag, lastModified });
  }

  #limits(): ConnectionLimits {
    const { limits } = this.#settings;
    return {
      acquire: (host, how) => {
        const onWait = (wait: HostWait) => {
          if (!how.isExtra) this.#tell({ type: 'queued', url: redactUrl(this.#file.url), host, wait });
        };
        return limits.acquire(host, { ...how, onWait } as Parameters<ConnectionLimits['acquire']>[1]);
      },
    };
  }

  #onProgress(progress: Progress): void {
    const { totalBytes } = progress;
    if (this.#onGrew !== undefined && totalBytes !== undefined && totalBytes >= LARGE_BYTES) this.#grow(totalBytes);
    this.#settings.options.onProgress?.(progress, this.#file.index);
  }

  /** Large files wait for their own lane, where small ones would have to wait for them. */
  #grow(totalBytes: number): void {
    const mayGoOn = this.#onGrew!();
    this.#onGrew = undefined;
    if (mayGoOn) {
      this.isLarge = true;
      return;
    }
    this.#tell({ type: 'postponed', url: redactUrl(this.#file.url), totalBytes });
    this.isPostponed = true;
    this.#stop.abort(new Error('large files have their own lane'));
  }

  #onEvent(event: DownloadEvent): void {
    // A file that is only postponed is not left.
    if (event.type === 'kept' && this.isPostponed) return;
    this.#tell(event);
  }

  #tell(event: BatchEvent): void {
    this.#settings.options.onEvent?.(event, this.#file.index);
  }
}

async function digestOf(path: string, algorithm: string): Promise<string> {
  const hash = createHash(algorithm);
  await onDisk('read', path, () => pipeline(createReadStream(path, { highWaterMark: 1_048_576 }), hash));
  return hash.digest('hex');
}
