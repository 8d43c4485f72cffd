/** What the target folder will hold, in memory: duplicates, parents and links are judged here before the disk sees them. */

export type Made =
  | { readonly kind: 'folder' }
  | { readonly kind: 'file' }
  /** Made at the end, when nothing is written any more that could go through it. */
  | { readonly kind: 'symlink'; readonly to: string };

export type ModelVerdict<T> = ({ readonly kind: 'ok' } & T) | { readonly kind: 'refused'; readonly what: string };

/** As the kernel: more than this is a circle. */
const MAX_LINK_STEPS = 40;

export class TreeModel {
  readonly #made = new Map<string, Made>();
  readonly #folded = new Map<string, string>();

  get symlinks(): readonly (readonly [path: string, to: string])[] {
    return [...this.#made].flatMap(([path, made]) => (made.kind === 'symlink' ? [[path, made.to] as const] : []));
  }

  at(path: string): Made | undefined {
    return this.#made.get(path);
  }

  /** Folders above it that are not there yet, outermost first. */
  missingFolders(parts: readonly string[]): ModelVerdict<{ readonly folders: readonly string[] }> {
    const folders: string[] = [];
    for (let depth = 1; depth < parts.length; depth += 1) {
      const path = parts.slice(0, depth).join('/');
      const made = this.#made.get(path);
      if (made === undefined) folders.push(path);
      else if (made.kind === 'symlink') return refused(`it would be written through the link ${path}`);
      else if (made.kind === 'file') return refused(`${path} is a file, and cannot hold it`);
    }
    return { kind: 'ok', folders };
  }

  /** @returns the path that differs from it only in case or composition, if there is one: on some disks they are one */
  add(path: string, made: Made): ModelVerdict<{ readonly sameFolded: string | undefined }> {
    const before = this.#made.get(path);
    if (before !== undefined) return refused(`there is a ${before.kind} of this name already`);
    this.#made.set(path, made);
    const folded = path.normalize('NFC').toLowerCase();
    const sameFolded = this.#folded.get(folded);
    if (sameFolded === undefined) this.#folded.set(folded, path);
    return { kind: 'ok', sameFolded };
  }

  /** Whether a link stays inside, with every link on its way taken as the file system would take it. */
  doesEscape(path: string, to: string): boolean {
    if (to.startsWith('/')) return true;
    const at = path.split('/').slice(0, -1);
    const rest = to.split('/').reverse();
    let steps = 0;
    while (rest.length > 0) {
      const part = rest.pop()!;
      if (part === '' || part === '.') continue;
      if (part === '..') {
        if (at.pop() === undefined) return true;
        continue;
      }
      const made = this.#made.get([...at, part].join('/'));
      if (made?.kind !== 'symlink') {
        at.push(part);
        continue;
      }
      steps += 1;
      if (steps > MAX_LINK_STEPS) return false;
      if (made.to.startsWith('/')) return true;
      rest.push(...made.to.split('/').reverse());
    }
    return false;
  }
}

function refused(what: string): { readonly kind: 'refused'; readonly what: string } {
  return { kind: 'refused', what };
}
