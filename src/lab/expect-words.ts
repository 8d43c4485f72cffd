import type { Expectation } from './catalogue-entry.ts';

/** What a right client does, as pages and lists say it. */
export const expectWords: { readonly [K in Expectation]: string } = {
  heals: 'can be healed',
  fails: 'nobody can heal',
  either: 'heal or fail',
};
