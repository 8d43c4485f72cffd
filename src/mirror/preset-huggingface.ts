/**
 * The Hub: files are redirects to stores elsewhere, and `X-Linked-Etag` says the SHA-256 of a large one. The mirror follows,
 * so that the bytes come through it, and are proven.
 */
import { hexDigest } from './digests.ts';
import { first, type HeaderRecord } from './head.ts';
import type { OriginView, Plan, Preset } from './plan.ts';

const RESOLVE = /^\/(?:[^/]+\/){1,3}resolve\/[^/]+\/.+/;

export const huggingface: Preset = {
  publicUpstream: 'https://huggingface.co',
  mount: '',
  toolUrl: (base) => base,
  async plan({ method, path, headers }, origin) {
    if (!RESOLVE.test(path) || (method !== 'GET' && method !== 'HEAD')) return { kind: 'pass' };
    const { authorization } = headers;
    const login = authorization === undefined ? {} : { authorization };
    if (method === 'HEAD') return await lookAt(path, login, origin);
    const digest = async () => linkedDigest((await origin.head(path, login)).headers);
    const place = { kind: 'path', path } as const;
    return {
      kind: 'content',
      content: { role: 'artifact', place, fields: {}, variant: '', digest, rewrite: undefined },
    };
  },
  hints: (url) => [`HF_ENDPOINT=${url} huggingface-cli download NAME`],
};

function linkedDigest(headers: HeaderRecord): ReturnType<typeof hexDigest> {
  return hexDigest('sha256', first(headers, 'x-linked-etag')?.replace(/^(?:W\/)?"|"$/g, ''));
}

/** Clients read what the redirect says, and then ask wherever it leads: here that is the mirror. */
async function lookAt(path: string, login: Readonly<Record<string, string>>, origin: OriginView): Promise<Plan> {
  const { status, headers } = await origin.head(path, login);
  const location = first(headers, 'location');
  if (status < 300 || status >= 400 || location === undefined) return { kind: 'answer', status, headers };
  const own = origin.roots.find((root) => location.startsWith(`${root}/`));
  if (location.startsWith('/') || own !== undefined) {
    const below = own === undefined ? location : location.slice(own.length);
    return { kind: 'answer', status, headers: { ...headers, location: `${origin.prefix}${below}` } };
  }
  const kept = Object.fromEntries(
    Object.entries(headers).filter(([name]) => !/^(?:location|link|x-xet-.*)$/.test(name)),
  );
  const etag = first(headers, 'x-linked-etag') ?? first(headers, 'etag');
  const size = first(headers, 'x-linked-size');
  const told = {
    ...kept,
    ...(etag === undefined ? {} : { etag }),
    ...(size === undefined ? {} : { 'content-length': size }),
  };
  return { kind: 'answer', status: 200, headers: told };
}
