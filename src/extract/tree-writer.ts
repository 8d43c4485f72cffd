/** Writes entries into a folder that nobody else writes to: what may be is asked of the model first. */
import { chmod, copyFile, type FileHandle, link, mkdir, open, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { ArchiveError, showName } from './archive-error.ts';
import { checkName } from './entry-path.ts';
import type { Limits } from './limits.ts';
import { errnoOf, onDisk } from './local-trouble.ts';
import type { Tally } from './tally.ts';
import { type Made, TreeModel } from './tree-model.ts';
import { WritePool } from './write-pool.ts';

/** What was unpacked, told when it is there. */
export interface ExtractedEntry {
  /** Below the target folder, with `/` on every platform. */
  readonly path: string;
  readonly kind: 'file' | 'folder' | 'symlink' | 'hardlink';
  /** Of its content. */
  readonly bytes: number;
}

export interface FileFacts {
  /** Permissions; without them what the umask leaves of 0666. */
  readonly mode: number | undefined;
  readonly modifiedAt: Date | undefined;
  /** Of the content, as the archive says it; there are never more. */
  readonly bytes: number;
}

export interface TreeWriterOptions {
  readonly root: string;
  readonly limits: Limits;
  readonly tally: Tally;
  readonly onEntry: (entry: ExtractedEntry) => void;
  readonly onBytes: () => void;
}

/** Set-user-id, set-group-id and sticky are dropped. */
const PERMISSIONS = 0o777;
/** Whoever unpacked a folder can write to it, and remove it. */
const OWN_FOLDER = 0o700;
const DEFAULT_FILE = 0o666;
const MAX_LINK_BYTES = 4_096;
/** Smaller files are left to the kernel: a sync for each costs more than the rest together. */
const SYNC_FROM_BYTES = 1_048_576;
const SMALL_BYTES = 65_536;
const MAX_NOTES = 20;

export class TreeWriter {
  readonly notes: string[] = [];
  readonly #options: TreeWriterOptions;
  readonly #model = new TreeModel();
  readonly #pool = new WritePool();
  readonly #umask: number;

  private constructor(options: TreeWriterOptions, umask: number) {
    this.#options = options;
    this.#umask = umask;
  }

  /** Creates the root; what the system makes of its permissions is the umask, which cannot be asked for safely. */
  static async create(options: TreeWriterOptions): Promise<TreeWriter> {
    const { root } = options;
    const { mode } = await onDisk('write', root, async () => {
      await mkdir(root, PERMISSIONS);
      return stat(root);
    });
    return new TreeWriter(options, PERMISSIONS & ~mode);
  }

  async folder(name: string, mode: number | undefined): Promise<void> {
    const parts = this.#begin(name);
    const path = parts.join('/');
    const own = ((mode ?? PERMISSIONS) & PERMISSIONS) | OWN_FOLDER;
    if (parts.length > 0 && this.#model.at(path)?.kind !== 'folder') {
      await this.#makeParents(parts);
      await this.#makeFolder(path, own);
    } else if (parts.length > 0 && mode !== undefined) {
      await onDisk('write', path, () => chmod(this.#at(path), own & ~this.#umask));
    }
    if (parts.length > 0) this.#tell({ path, kind: 'folder', bytes: 0 });
  }

  async file(name: string, facts: FileFacts, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const path = await this.#place(name, { kind: 'file' });
    if (facts.bytes > SMALL_BYTES) return this.#write(path, facts, this.#counted(chunks));
    const whole: Uint8Array[] = [];
    for await (const chunk of this.#counted(chunks)) whole.push(chunk);
    await this.#pool.add(() => this.#write(path, facts, whole));
  }

  async *#counted(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      yield chunk;
      this.#options.tally.bytes += chunk.byteLength;
      this.#options.onBytes();
    }
  }

  async #write(
    path: string,
    { mode = DEFAULT_FILE, modifiedAt }: FileFacts,
    chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  ): Promise<void> {
    const handle = await onDisk('write', path, () => open(this.#at(path), 'wx', mode & PERMISSIONS));
    let bytes = 0;
    try {
      for await (const chunk of chunks) {
        await onDisk('write', path, () => writeAll(handle, chunk));
        bytes += chunk.byteLength;
      }
      await onDisk('write', path, () => finishFile(handle, modifiedAt, bytes));
    } finally {
      await handle.close();
    }
    this.#tell({ path, kind: 'file', bytes });
  }

  async symlink(name: string, to: string): Promise<void> {
    this.#checkLink(name, to);
    const path = await this.#place(name, { kind: 'symlink', to });
    if (this.#model.doesEscape(path, to)) this.#refuseEscape(name, to);
    this.#tell({ path, kind: 'symlink', bytes: 0 });
  }

  /** To a file that this archive brought, and to nothing else. */
  async hardlink(name: string, to: string): Promise<void> {
    const verdict = checkName(to, this.#options.limits, process.platform);
    const source = verdict.kind === 'path' ? verdict.parts.join('/') : undefined;
    const made = source === undefined ? undefined : this.#model.at(source);
    if (source === undefined || made === undefined || made.kind === 'folder') {
      this.#refuse('unsafe', name, `it is a hard link to ${showName(to)}, which is no file of this archive before it`);
    }
    // The same text leads elsewhere from another folder; whether it may is asked there.
    if (made.kind === 'symlink') return this.symlink(name, made.to);
    const path = await this.#place(name, { kind: 'file' });
    await this.#pool.drain();
    await onDisk('write', path, () => linkOrCopy(this.#at(source), this.#at(path)));
    this.#tell({ path, kind: 'hardlink', bytes: 0 });
  }

  /** Symbolic links come last: until then nothing could be written through one, whatever the archive says. */
  async finish(): Promise<void> {
    await this.#pool.drain();
    const { symlinks } = this.#model;
    for (const [path, to] of symlinks) if (this.#model.doesEscape(path, to)) this.#refuseEscape(path, to);
    for (const [path, to] of symlinks) await onDisk('write', path, () => symlink(to, this.#at(path)));
  }

  /** Nothing is written any more, however it ended. */
  async settle(): Promise<void> {
    await this.#pool.settle();
  }

  refuse(name: string, what: string): never {
    this.#refuse('unsafe', name, what);
  }

  #begin(name: string): readonly string[] {
    this.#options.tally.beginEntry(name);
    const verdict = checkName(name, this.#options.limits, process.platform);
    if (verdict.kind === 'refused') this.#refuse(verdict.trouble, name, verdict.what);
    return verdict.parts;
  }

  async #place(name: string, made: Made): Promise<string> {
    const parts = this.#begin(name);
    if (parts.length === 0) this.#refuse('unsafe', name, 'it would take the place of the folder itself');
    await this.#makeParents(parts);
    const path = parts.join('/');
    this.#add(path, made);
    return path;
  }

  async #makeParents(parts: readonly string[]): Promise<void> {
    const verdict = this.#model.missingFolders(parts);
    if (verdict.kind === 'refused') this.#refuse('unsafe', parts.join('/'), verdict.what);
    for (const folder of verdict.folders) await this.#makeFolder(folder, PERMISSIONS);
  }

  /** Never one that is there already: on a disk that folds case it might be another entry's. */
  async #makeFolder(path: string, mode: number): Promise<void> {
    this.#add(path, { kind: 'folder' });
    await onDisk('write', path, () => mkdir(this.#at(path), mode));
  }

  #add(path: string, made: Made): void {
    const verdict = this.#model.add(path, made);
    if (verdict.kind === 'refused') this.#refuse('unsafe', path, verdict.what);
    if (verdict.sameFolded !== undefined && this.notes.length < MAX_NOTES) {
      this.notes.push(`${showName(path)} and ${showName(verdict.sameFolded)} are one name where case does not count`);
    }
  }

  #checkLink(name: string, to: string): void {
    const what =
      to === '' || to.includes('\0')
        ? 'it is a link to nothing'
        : to.includes('\uFFFD')
          ? 'it is a link to a name that is not UTF-8'
          : to.includes('\\') || /^[a-z]:/i.test(to)
            ? `it is a link to ${showName(to)}, which is a path of Windows`
            : undefined;
    if (what !== undefined) this.#refuse('unsafe', name, what);
    if (Buffer.byteLength(to) > MAX_LINK_BYTES) this.#refuse('limit', name, 'the link leads to too long a name');
  }

  #refuseEscape(name: string, to: string): never {
    this.#refuse('unsafe', name, `it is a link to ${showName(to)}, outside of the folder`);
  }

  #refuse(trouble: 'unsafe' | 'limit', entry: string, what: string): never {
    throw new ArchiveError({ trouble, what, entry, atByte: this.#options.tally.atByte });
  }

  #at(path: string): string {
    return join(this.#options.root, path);
  }

  #tell(entry: ExtractedEntry): void {
    this.#options.onEntry(entry);
  }
}

/** A full disk shows as a short write first. */
async function writeAll(handle: FileHandle, chunk: Uint8Array): Promise<void> {
  let at = 0;
  while (at < chunk.byteLength) at += (await handle.write(chunk, at)).bytesWritten;
}

async function finishFile(handle: FileHandle, modifiedAt: Date | undefined, bytes: number): Promise<void> {
  if (modifiedAt !== undefined && modifiedAt.getTime() >= 0) await handle.utimes(modifiedAt, modifiedAt);
  if (bytes >= SYNC_FROM_BYTES) await handle.sync();
}

/** Not every file system has hard links. */
async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK', 'ENOSYS'].includes(errnoOf(error) ?? '')) throw error;
    await copyFile(from, to);
  }
}
