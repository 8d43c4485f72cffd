/** npm's registry: packuments, whole or abbreviated, with their tarballs here; tarballs are proven by `dist.integrity`. */
import type { Checksum } from '../download/index.ts';
import { hexDigest, sriDigest } from './digests.ts';
import type { NamedFile } from './links.ts';
import type { ContentPlan, OriginView, Preset, Rewrite } from './plan.ts';

const ABBREVIATED = 'application/vnd.npm.install-v1+json';

export const npm: Preset = {
  publicUpstream: 'https://registry.npmjs.org',
  mount: '',
  toolUrl: (base) => `${base}/`,
  plan({ method, path, query, headers }, origin) {
    if (method !== 'GET' && method !== 'HEAD') return { kind: 'pass' };
    const file = origin.readLink(path);
    if (file !== undefined) return { kind: 'content', content: namedTarball(file) };
    const tarball = /^\/((?:@[^/]+(?:\/|%2f))?[^/@-][^/]*)\/-\/(?:@[^/]+\/)?([^/]+\.tgz)$/i.exec(path);
    if (tarball !== null) return { kind: 'content', content: tarballOf(path, tarball[1]!, tarball[2]!, origin) };
    const isPackage = /^\/(?:@[^/]+(?:\/|%2f))?[^/@-][^/]*$/i.test(path) && query === '';
    if (!isPackage) return { kind: 'pass' };
    return { kind: 'content', content: packument(path, headers.accept?.includes(ABBREVIATED) === true) };
  },
  hints: (url) => [
    `npm install --registry ${url} NAME    (or npm_config_registry=${url}; pnpm and yarn 1 alike)`,
    `YARN_NPM_REGISTRY_SERVER=${url} YARN_UNSAFE_HTTP_WHITELIST=127.0.0.1 yarn install    (yarn 2 and later)`,
  ],
};

function packument(path: string, abbreviated: boolean): ContentPlan {
  return {
    role: 'index',
    place: { kind: 'path', path },
    fields: { accept: abbreviated ? `${ABBREVIATED}; q=1.0, application/json; q=0.8, */*` : 'application/json' },
    variant: abbreviated ? 'abbreviated' : 'whole',
    digest: undefined,
    rewrite: rewritePackument,
  };
}

interface Packument {
  readonly versions?: Record<string, { dist?: Dist }>;
  dist?: Dist;
}

interface Dist {
  tarball?: unknown;
  readonly integrity?: unknown;
  readonly shasum?: unknown;
}

function digestOf(dist: Dist | undefined): Checksum | undefined {
  return sriDigest(dist?.integrity) ?? hexDigest('sha1', dist?.shasum);
}

const rewritePackument: Rewrite = ({ bytes, contentType, url }, base, origin) => {
  const document = JSON.parse(bytes.toString('utf8')) as Packument;
  const dists = [document.dist, ...Object.values(document.versions ?? {}).map(({ dist }) => dist)];
  for (const dist of dists) {
    const { tarball } = dist ?? {};
    if (typeof tarball !== 'string' || !URL.canParse(tarball, url)) continue;
    dist!.tarball = linkTo(new URL(tarball, url).href, digestOf(dist), base, origin);
  }
  return { bytes: Buffer.from(JSON.stringify(document)), contentType };
};

/** Below an upstream's own address the path stays: lock files and `replace-registry-host` rest on it. */
function linkTo(address: string, digest: Checksum | undefined, base: string, origin: OriginView): string {
  const root = origin.roots.find((one) => address.startsWith(`${one}/`));
  if (root !== undefined && !address.includes('?')) return `${base}${address.slice(root.length)}`;
  return origin.link(base, { url: address, digest, metadataDigest: undefined });
}

function namedTarball({ url, digest }: NamedFile): ContentPlan {
  return tarballAt({ kind: 'url', url }, digest === undefined ? undefined : async () => digest);
}

/** With a lock file npm asks for tarballs without having seen their packument: it is looked up beside. */
function tarballOf(path: string, name: string, file: string, origin: OriginView): ContentPlan {
  return tarballAt({ kind: 'path', path }, async () => {
    const document = await origin.load(packument(`/${name.replace(/%2f/i, '/')}`, true));
    if (document === undefined) return undefined;
    const { versions = {} } = JSON.parse(document.bytes.toString('utf8')) as Packument;
    const found = Object.values(versions).find(({ dist }) => String(dist?.tarball).endsWith(`/${file}`));
    return digestOf(found?.dist);
  });
}

function tarballAt(place: ContentPlan['place'], digest: ContentPlan['digest']): ContentPlan {
  return { role: 'artifact', place, fields: {}, variant: '', digest, rewrite: undefined };
}
