/**
 * Debian's repositories. `Release` has the digests of the indexes, those have the digests of packages; a name below
 * `by-hash` is a digest itself.
 */
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { Checksum } from '../download/index.ts';
import { hexDigest } from './digests.ts';
import type { ContentPlan, OriginView, Preset } from './plan.ts';

/** The lists that clients have asked for; packages are looked up in them. */
const LISTS = 'lists';
const MAX_LISTS = 64;

export const apt: Preset = {
  publicUpstream: 'http://deb.debian.org/debian',
  mount: '',
  toolUrl: (base) => `${base}/`,
  plan({ method, path }, origin) {
    if (method !== 'GET' || path.endsWith('/')) return { kind: 'pass' };
    return { kind: 'content', content: fileAt(path, digestFor(path, origin)) };
  },
  hints: (url) => [`in sources.list: deb ${url} SUITE main    (signatures and signed-by= stay as they are)`],
};

function fileAt(path: string, digest: ContentPlan['digest']): ContentPlan {
  return { role: 'artifact', place: { kind: 'path', path }, fields: {}, variant: '', digest, rewrite: undefined };
}

function digestFor(path: string, origin: OriginView): ContentPlan['digest'] {
  const byHash = /^(\/dists\/.+)\/by-hash\/SHA(256|512)\/([0-9a-f]+)$/i.exec(path);
  if (byHash !== null) {
    remember(byHash[1]!, origin);
    const digest = hexDigest(`sha${byHash[2]}`, byHash[3]);
    return async () => digest;
  }
  if (/\/(?:InRelease|Release|Release\.gpg)$/.test(path)) return undefined;
  const list = /^(\/dists\/.+)\/(?:Packages|Sources)(?:\.\w+)?$/.exec(path);
  if (list !== null) remember(list[1]!, origin);
  if (path.startsWith('/dists/')) return () => digestInRelease(path, origin);
  return () => digestInLists(path.slice(1), origin);
}

function remember(folder: string, origin: OriginView): void {
  const lists = known(origin);
  if (/\/binary-[\w-]+$/.test(folder) && lists.size < MAX_LISTS && !lists.has(folder)) lists.set(folder, undefined);
}

type Lists = Map<string, PackageList | undefined>;

interface PackageList {
  /** Of the list's own file: another one means that packages have changed. */
  readonly digest: string;
  readonly packages: ReadonlyMap<string, string>;
}

function known(origin: OriginView): Lists {
  const lists = (origin.memory.get(LISTS) as Lists | undefined) ?? new Map();
  origin.memory.set(LISTS, lists);
  return lists;
}

/** The suite is all above the component; `dists/stable/updates/main` has more than one segment. */
async function digestInRelease(path: string, origin: OriginView): Promise<Checksum | undefined> {
  const segments = path.split('/');
  for (let count = 3; count < Math.min(segments.length, 6); count += 1) {
    const suite = segments.slice(0, count).join('/');
    const name = segments.slice(count).join('/');
    const found = (await releaseOf(suite, origin))?.get(name);
    if (found !== undefined) return hexDigest('sha256', found);
  }
  return undefined;
}

async function releaseOf(suite: string, origin: OriginView): Promise<ReadonlyMap<string, string> | undefined> {
  for (const name of ['InRelease', 'Release']) {
    const document = await origin.load(fileAt(`${suite}/${name}`, undefined)).catch(() => undefined);
    if (document !== undefined) return readRelease(document.bytes.toString('utf8'));
  }
  return undefined;
}

export function readRelease(text: string): ReadonlyMap<string, string> {
  const section = /^SHA256:\s*\n((?: .*\n?)*)/m.exec(text)?.[1] ?? '';
  const lines = section.matchAll(/^ ([0-9a-f]{64})\s+\d+\s+(\S+)$/gm);
  return new Map([...lines].map((match) => [match[2]!, match[1]!]));
}

async function digestInLists(name: string, origin: OriginView): Promise<Checksum | undefined> {
  const lists = known(origin);
  for (const folder of lists.keys()) {
    const list = await readList(folder, lists.get(folder), origin).catch(() => undefined);
    if (list !== undefined) lists.set(folder, list);
    const found = list?.packages.get(name);
    if (found !== undefined) return hexDigest('sha256', found);
  }
  return undefined;
}

async function readList(
  folder: string,
  before: PackageList | undefined,
  origin: OriginView,
): Promise<PackageList | undefined> {
  for (const name of ['Packages.gz', 'Packages']) {
    const path = `${folder}/${name}`;
    const digest = await digestInRelease(path, origin);
    if (digest === undefined) continue;
    if (before?.digest === digest.hex) return before;
    const document = await origin.load(fileAt(path, async () => digest));
    if (document !== undefined) return { digest: digest.hex, packages: await readPackages(document.bytes, name) };
  }
  return before;
}

/** In pieces, since such a list may have 50 MB. */
async function readPackages(bytes: Buffer, name: string): Promise<ReadonlyMap<string, string>> {
  const packages = new Map<string, string>();
  const source = Readable.from([bytes]);
  const plain: AsyncIterable<Buffer> = name.endsWith('.gz') ? source.pipe(createGunzip()) : source;
  let rest = '';
  for await (const chunk of plain) {
    const text = rest + chunk.toString('latin1');
    const end = text.lastIndexOf('\n\n');
    if (end !== -1) readParagraphs(text.slice(0, end + 1), packages);
    rest = end === -1 ? text : text.slice(end + 1);
  }
  readParagraphs(`${rest}\n`, packages);
  return packages;
}

function readParagraphs(text: string, packages: Map<string, string>): void {
  for (const paragraph of text.split('\n\n')) {
    const file = /^Filename: (?:\.\/)?(\S+)$/m.exec(paragraph)?.[1];
    const sha256 = /^SHA256: ([0-9a-f]{64})$/m.exec(paragraph)?.[1];
    if (file !== undefined && sha256 !== undefined) packages.set(file, sha256);
  }
}
