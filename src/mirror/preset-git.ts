/**
 * git over smart HTTP. What a fetch asks for may be asked for again, although it is a POST; what a push sends may not. A
 * pack has neither length nor validator: a cut one cannot be continued, so it is awaited whole, up to a bound.
 */
import type { Preset } from './plan.ts';

export const git: Preset = {
  publicUpstream: undefined,
  mount: '',
  toolUrl: (base) => `${base}/`,
  plan: ({ method, path }) =>
    method === 'POST' && path.endsWith('/git-upload-pack') ? { kind: 'held' } : { kind: 'pass' },
  hints: (url, upstream) => [
    `git -c url.${url}.insteadOf=${upstream}/ clone ${upstream}/NAME.git`,
    `git config --global url.${url}.insteadOf ${upstream}/`,
  ],
};
