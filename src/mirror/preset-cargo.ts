/** Cargo's sparse index: `config.json` names where crates are; the client itself tells the checksum that the index has. */
import { hexDigest } from './digests.ts';
import type { ContentPlan, OriginView, Preset, Rewrite } from './plan.ts';

const OWN_TEMPLATE = '/~crate/{crate}/{version}/{sha256-checksum}/{prefix}/{lowerprefix}';

export const cargo: Preset = {
  publicUpstream: 'https://index.crates.io',
  mount: '',
  toolUrl: (base) => `sparse+${base}/`,
  async plan({ method, path }, origin) {
    if (method !== 'GET') return { kind: 'pass' };
    if (path === '/config.json') return { kind: 'content', content: config };
    const crate = /^\/~crate\/([\w-]+)\/([\w.+%-]+)\/([0-9a-f]{64})\/([\w/-]+)$/.exec(path);
    if (crate !== null) return { kind: 'content', content: await crateOf(crate, origin) };
    if (path.startsWith('/api/')) return { kind: 'pass' };
    const place = { kind: 'path', path } as const;
    const more = { fields: {}, variant: '', digest: undefined, rewrite: undefined };
    return { kind: 'content', content: { role: 'index', place, ...more } };
  },
  hints: (url) => [
    `cargo --config 'source.crates-io.replace-with="reknit"' --config 'source.reknit.registry="${url}"' fetch`,
    `in .cargo/config.toml: [source.crates-io] replace-with = "reknit"  [source.reknit] registry = "${url}"`,
  ],
};

const rewriteConfig: Rewrite = ({ bytes, contentType }, base) => {
  const found = JSON.parse(bytes.toString('utf8')) as Record<string, unknown>;
  return { bytes: Buffer.from(JSON.stringify({ ...found, dl: `${base}${OWN_TEMPLATE}` })), contentType };
};

const config: ContentPlan = {
  role: 'index',
  place: { kind: 'path', path: '/config.json' },
  fields: {},
  variant: '',
  digest: undefined,
  rewrite: rewriteConfig,
};

async function crateOf(match: RegExpExecArray, origin: OriginView): Promise<ContentPlan> {
  const [, name = '', version = '', sha256 = '', prefixes = ''] = match;
  const document = await origin.load(config);
  const { dl = '' } = JSON.parse(document?.bytes.toString('utf8') ?? '{}') as { dl?: string };
  const half = prefixes.length / 2;
  const values: Readonly<Record<string, string>> = {
    crate: name,
    version,
    'sha256-checksum': sha256,
    prefix: prefixes.slice(0, Math.floor(half)),
    lowerprefix: prefixes.slice(Math.ceil(half)),
  };
  // The index names the host; who asks must not.
  if (/^[^/]*\/\/[^/]*\{/.test(dl)) throw new Error(`the index names no host for its crates: ${dl}`);
  const hasMarker = /\{(?:crate|version|prefix|lowerprefix|sha256-checksum)\}/.test(dl);
  const template = hasMarker ? dl : `${dl}/{crate}/{version}/download`;
  const url = template.replace(/\{([a-z0-9-]+)\}/g, (marker, key: string) => values[key] ?? marker);
  const digest = hexDigest('sha256', sha256);
  return {
    role: 'artifact',
    place: { kind: 'url', url },
    fields: {},
    variant: '',
    digest: async () => digest,
    rewrite: undefined,
  };
}
