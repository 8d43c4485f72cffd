/** Successes that are not believed at once. Pure. */
import { groupDigits } from '../core/index.ts';
import type { Pin } from './journal.ts';

/** Names that nobody gives to a page. */
const fileNames =
  /\.(?:7z|apk|appimage|bin|bz2|cab|crate|deb|dmg|exe|gem|gguf|gz|img|iso|jar|lz4|msi|nupkg|onnx|parquet|pkg|pt|pth|qcow2|rar|rpm|safetensors|tar|tbz|tgz|txz|vmdk|vsix|wasm|whl|xz|zip|zst)$/i;
const pageNames = /\.x?html?$/i;
const pageTypes: ReadonlySet<string> = new Set(['text/html', 'application/xhtml+xml']);

export interface FirstSight {
  readonly pin: Pin;
  /** What came before it in this run, or in an earlier one. */
  readonly before: Pin | undefined;
  readonly url: string;
  /** Where it is saved; undefined for streams. */
  readonly target: string | undefined;
}

export type Trust =
  | { readonly kind: 'trust'; readonly note: string | undefined }
  /** Not believed the first time. */
  | { readonly kind: 'doubt'; readonly what: string }
  | { readonly kind: 'refuse'; readonly what: string };

/** Remembers what looked strange in one download. */
export class Distrust {
  #mark: string | undefined;

  look(sight: FirstSight): Trust {
    const suspicion = suspicionOf(sight);
    if (suspicion === undefined) return { kind: 'trust', note: undefined };
    const { what, mark, ifSeenAgain } = suspicion;
    const isSeenAgain = mark === this.#mark;
    this.#mark = mark;
    if (!isSeenAgain) return { kind: 'doubt', what };
    if (ifSeenAgain === 'accept') return { kind: 'trust', note: `${what}: the server said so twice` };
    return { kind: 'refuse', what: `${what}, twice; if that is right, save it under a name that ends in .html` };
  }
}

/**
 * What is strange about an answer that brings the whole, and what to do where it is seen again, unchanged, after a pause:
 * a page under a file's name is refused, everything else is accepted.
 */
interface Suspicion {
  readonly what: string;
  /** Equal for equal answers. */
  readonly mark: string;
  readonly ifSeenAgain: 'refuse' | 'accept';
}

function suspicionOf(sight: FirstSight): Suspicion | undefined {
  return pageForFile(sight) ?? shrunk(sight);
}

/** Captive portals and login pages answer 200, for everything. */
function pageForFile({ pin, before, url, target = '' }: FirstSight): Suspicion | undefined {
  const { contentType, totalBytes } = pin.representation;
  if (!pageTypes.has(contentType) || pageNames.test(target)) return undefined;
  const { pathname } = new URL(url);
  const mark = `${contentType} ${totalBytes ?? '?'}`;
  if (fileNames.test(pathname)) {
    const what = `an HTML page where the name says ${pathname.slice(pathname.lastIndexOf('.'))}`;
    return { what, mark, ifSeenAgain: 'refuse' };
  }
  const { contentType: typeBefore } = before?.representation ?? {};
  if (typeBefore === undefined || typeBefore === '' || pageTypes.has(typeBefore)) return undefined;
  return { what: `an HTML page where ${typeBefore} came before`, mark, ifSeenAgain: 'accept' };
}

/** A new version says so by its own validator; a length that only shrank may be a broken cache. */
function shrunk({ pin, before }: FirstSight): Suspicion | undefined {
  const [lengthNow, lengthBefore] = [pin.representation.totalBytes, before?.representation.totalBytes];
  if (lengthNow === undefined || lengthBefore === undefined || lengthNow >= lengthBefore) return undefined;
  const [now, then] = [pin.representation.validator, before?.representation.validator];
  if (now !== undefined && then !== undefined && now !== then) return undefined;
  const what = `the length was ${groupDigits(lengthBefore)} and is now ${groupDigits(lengthNow)}`;
  return { what, mark: what, ifSeenAgain: 'accept' };
}
