/** Any HTTP origin: everything passes as it is; bodies heal where ranges and validators allow it. */
import type { Preset } from './plan.ts';

export const generic: Preset = {
  publicUpstream: undefined,
  mount: '',
  toolUrl: (base) => `${base}/`,
  plan: () => ({ kind: 'pass' }),
  hints: (url) => [`curl ${url}PATH`, `OPENAI_BASE_URL=${url}v1 (where the upstream is such an API)`],
};
