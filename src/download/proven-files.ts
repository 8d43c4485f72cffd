/** What earlier runs wrote and proved: how the same batch, run again, knows what it need not fetch. */
import { appendFile, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Integrity } from '../core/index.ts';

const FILE = 'proven.jsonl';
const MAX_FILE_BYTES = 8 * 1_048_576;

export interface ProvenFile {
  /** Absolute. */
  readonly path: string;
  readonly urlSha256: string;
  readonly bytes: number;
  readonly mtimeMs: number;
  readonly integrity: Integrity;
  /** Hex. */
  readonly sha256: string;
  readonly etag?: string | undefined;
  readonly lastModified?: string | undefined;
}

/** One line per file, appended before it gets its name: a kill in between leaves a line too many, never one too few. */
export class ProvenFiles {
  readonly #path: string | undefined;
  readonly #files: Map<string, ProvenFile>;
  #lines: string[] = [];
  #writing: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  private constructor(path: string | undefined, files: Map<string, ProvenFile>) {
    this.#path = path;
    this.#files = files;
  }

  static async open(folder: string | undefined): Promise<ProvenFiles> {
    if (folder === undefined) return new ProvenFiles(undefined, new Map());
    const path = join(folder, FILE);
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const text = await readFile(path, 'utf8').catch(() => '');
      const files = new Map(linesOf(text).map((file) => [file.path, file]));
      if (text.length > MAX_FILE_BYTES) await shorten(path, files);
      return new ProvenFiles(path, files);
    } catch {
      // A batch does not fail for what would have spared the next one some work.
      return new ProvenFiles(undefined, new Map());
    }
  }

  get(path: string): ProvenFile | undefined {
    return this.#files.get(path);
  }

  /** The next run will know of them. */
  get isKept(): boolean {
    return this.#path !== undefined;
  }

  async add(file: ProvenFile): Promise<void> {
    this.#files.set(file.path, file);
    if (this.#path === undefined) return;
    this.#lines.push(`${JSON.stringify(file)}\n`);
    // All that come while the file is being written go into it together.
    this.#next ??= this.#writing.then(() => this.#write());
    await this.#next;
  }

  async #write(): Promise<void> {
    this.#next = undefined;
    this.#writing = appendFile(this.#path!, this.#lines.splice(0).join(''), { mode: 0o600 }).catch(() => {});
    await this.#writing;
  }
}

function linesOf(text: string): readonly ProvenFile[] {
  return text
    .split('\n')
    .map(fileIn)
    .filter((file) => file !== undefined);
}

/** The last line may be cut. */
function fileIn(line: string): ProvenFile | undefined {
  try {
    const file = JSON.parse(line) as ProvenFile;
    const { path, urlSha256, sha256, bytes, mtimeMs } = file;
    const isText = [path, urlSha256, sha256].every((one) => typeof one === 'string');
    return isText && Number.isFinite(bytes) && Number.isFinite(mtimeMs) ? file : undefined;
  } catch {
    return undefined;
  }
}

/** The newer half stays. */
async function shorten(path: string, files: Map<string, ProvenFile>): Promise<void> {
  const kept = [...files.values()].slice(files.size >> 1);
  const next = `${path}.${process.pid}`;
  await writeFile(next, kept.map((file) => `${JSON.stringify(file)}\n`).join(''), { mode: 0o600 });
  await rename(next, path);
}
