/**
 * The simple repository API: HTML (PEP 503) and JSON (PEP 691). Links to files are rewritten to this mirror, each with the
 * digest that the index promises; everything else stays byte for byte as it was.
 */
import { parse } from 'parse5';
import { refuse } from '../gateway/index.ts';
import { hexDigest, isSameDigest, pairDigest, strongest } from './digests.ts';
import type { NamedFile } from './links.ts';
import type { ContentPlan, Document, OriginView, Preset, Rewritten } from './plan.ts';

const JSON_TYPE = 'application/vnd.pypi.simple.v1+json';
const HTML_TYPES = 'application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1';

export const pypi: Preset = {
  publicUpstream: 'https://pypi.org/simple',
  mount: '/simple',
  toolUrl: (base) => `${base}/simple/`,
  plan({ method, path, headers }, origin) {
    if (method !== 'GET' && method !== 'HEAD') return { kind: 'pass' };
    const file = origin.readLink(path);
    if (file !== undefined) return { kind: 'content', content: artifact(file, origin) };
    const [, project] = /^\/simple(\/.*)?$/.exec(path) ?? [];
    if (project === undefined)
      return { kind: 'refuse', refusal: refuse(404, 'not-an-index', 'the packages of this origin are below simple/') };
    return { kind: 'content', content: index(project, wantsJson(headers.accept)) };
  },
  hints: (url) => [
    `pip install --index-url ${url} NAME    (or PIP_INDEX_URL=${url})`,
    `UV_DEFAULT_INDEX=${url} uv pip install NAME`,
  ],
};

function artifact(file: NamedFile, origin: OriginView): ContentPlan {
  return {
    role: 'artifact',
    place: { kind: 'url', url: file.url },
    fields: {},
    variant: '',
    digest: file.digest === undefined ? undefined : async () => file.digest,
    rewrite: undefined,
    ...(file.digest === undefined || origin.roots.length < 2 ? {} : { elsewhere: () => copiesOf(file, origin) }),
  };
}

/** Where the other upstreams' indexes have a file of that name with that digest. */
async function copiesOf({ url, digest }: NamedFile, origin: OriginView): Promise<readonly string[]> {
  const { pathname } = new URL(url);
  const name = decodeURIComponent(pathname.split('/').at(-1) ?? '');
  // A wheel's name ends at the first dash, that of a source archive before its version.
  const project = (/\.(?:whl|egg)$/.test(name) ? name.split('-')[0]! : name.replace(/-\d.*$/, '')).replace(
    /[-_.]+/g,
    '-',
  );
  const found = new Set<string>();
  const collect: OriginView['link'] = (_base, file) => {
    const isSame =
      isSameDigest(file.digest, digest) && decodeURIComponent(new URL(file.url).pathname).endsWith(`/${name}`);
    if (isSame && file.url !== url) found.add(file.url);
    return file.url;
  };
  for (const document of await origin.loadEach(index(`/${project.toLowerCase()}/`, true)))
    rewriteIndex(document, '', { link: collect });
  return [...found];
}

function index(path: string, json: boolean): ContentPlan {
  return {
    role: 'index',
    place: { kind: 'path', path },
    fields: { accept: json ? `${JSON_TYPE}, ${HTML_TYPES}` : 'text/html' },
    variant: json ? 'json' : 'html',
    digest: undefined,
    rewrite: rewriteIndex,
  };
}

function wantsJson(accept = ''): boolean {
  return accept.includes(JSON_TYPE);
}

const rewriteIndex = (document: Document, base: string, origin: Linker): Rewritten =>
  /[/+]json\b/i.test(document.contentType) ? rewriteJson(document, base, origin) : rewriteHtml(document, base, origin);

interface JsonFile {
  url?: unknown;
  hashes?: Record<string, unknown>;
  'core-metadata'?: unknown;
  'dist-info-metadata'?: unknown;
}

function rewriteJson({ bytes, contentType, url }: Document, base: string, origin: Linker): Rewritten {
  const index = JSON.parse(bytes.toString('utf8')) as { files?: JsonFile[] };
  if (!Array.isArray(index.files)) return { bytes, contentType };
  for (const file of index.files) {
    const address = resolveLink(file.url, url);
    if (address === undefined) continue;
    const digest = digestOf(file.hashes);
    const metadataDigest = digestOf(file['core-metadata']) ?? digestOf(file['dist-info-metadata']);
    file.url = origin.link(base, { url: address, digest, metadataDigest });
  }
  return { bytes: Buffer.from(JSON.stringify(index)), contentType };
}

function digestOf(hashes: unknown): NamedFile['digest'] {
  if (typeof hashes !== 'object' || hashes === null) return undefined;
  const found = Object.entries(hashes).map(([algorithm, hex]) => hexDigest(algorithm, hex));
  return strongest(found.filter((one) => one !== undefined));
}

/** What rewriting needs of an origin. */
type Linker = Pick<OriginView, 'link'>;

interface HtmlNode {
  readonly nodeName: string;
  readonly attrs?: readonly { readonly name: string; readonly value: string }[];
  readonly childNodes?: readonly HtmlNode[];
  readonly sourceCodeLocation?: {
    readonly attrs?: Readonly<Record<string, { readonly startOffset: number; readonly endOffset: number }>>;
  } | null;
}

interface Splice {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/** Only the values of `href` change: names, hashes, `data-*` and what nobody knows yet stay as they are. */
function rewriteHtml({ bytes, contentType, url }: Document, base: string, origin: Linker): Rewritten {
  const text = bytes.toString('utf8');
  const splices: Splice[] = [];
  let root = url;
  for (const node of nodesOf(parse(text, { sourceCodeLocationInfo: true }) as unknown as HtmlNode)) {
    const href = node.attrs?.find(({ name }) => name === 'href');
    const place = node.sourceCodeLocation?.attrs?.href;
    if (href === undefined || place === undefined) continue;
    if (node.nodeName === 'base') {
      root = resolveLink(href.value, url) ?? root;
      // Links that stay relative are relative to where the client found the page.
      splices.push({ from: place.startOffset, to: place.endOffset, text: '' });
    } else if (node.nodeName === 'a') {
      const file = fileOf(node, resolveLink(href.value, root));
      if (file === undefined) continue;
      const fragment = /#.*$/s.exec(href.value)?.[0] ?? '';
      const link = `${origin.link(base, file)}${fragment}`;
      splices.push({ from: place.startOffset, to: place.endOffset, text: `href="${escapeAttribute(link)}"` });
    }
  }
  return { bytes: Buffer.from(spliced(text, splices)), contentType };
}

/** A project's page links to files; the list of projects to pages, which are the mirror's own. */
function fileOf(node: HtmlNode, address: string | undefined): NamedFile | undefined {
  if (address === undefined || new URL(address).pathname.endsWith('/')) return undefined;
  const attribute = (name: string) => node.attrs?.find((one) => one.name === name)?.value;
  const metadata = attribute('data-core-metadata') ?? attribute('data-dist-info-metadata');
  return {
    url: address.replace(/#.*$/s, ''),
    digest: pairDigest(new URL(address).hash),
    metadataDigest: pairDigest(metadata),
  };
}

function* nodesOf(root: HtmlNode): Generator<HtmlNode> {
  const waiting: HtmlNode[] = [root];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    yield node;
    const { childNodes = [] } = node;
    for (let index = childNodes.length - 1; index >= 0; index -= 1) waiting.push(childNodes[index]!);
  }
}

function spliced(text: string, splices: readonly Splice[]): string {
  const parts: string[] = [];
  let at = 0;
  for (const { from, to, text: replacement } of [...splices].sort((a, b) => a.from - b.from)) {
    parts.push(text.slice(at, from), replacement);
    at = to;
  }
  return parts.join('') + text.slice(at);
}

function escapeAttribute(value: string): string {
  return value.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
}

/** With its fragment; undefined for what is no http address. */
function resolveLink(href: unknown, base: string): string | undefined {
  if (typeof href !== 'string' || !URL.canParse(href, base)) return undefined;
  const url = new URL(href, base);
  return /^https?:$/.test(url.protocol) ? url.href : undefined;
}
