import type { Expectation } from '../catalogue-entry.ts';

/** How a client's process ended. */
export type ProcessEnd =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'crashed'; readonly by: string }
  | { readonly kind: 'timed-out' };

/** What stands under the final name: a whole version, the beginning of one, other bytes, or no file. */
export type Left = 'whole' | 'part' | 'other' | 'nothing';

/** `corrupt` is success reported with bytes that are no version of the file; `failed-safely` is any honest failure. */
export type Verdict = 'healed' | 'failed-safely' | 'hung' | 'corrupt';

/**
 * `right` is what a right client does; `safe` is an honest failure where healing was possible; `wrong` is a lie, a wait
 * without end, or success where only refusal is right.
 */
export type Judgement = 'right' | 'safe' | 'wrong';

/** A part that is left behind by an honest failure is safe: whoever looks at the exit code is not deceived. */
export function verdictOf(end: ProcessEnd, left: Left): Verdict {
  if (end.kind === 'timed-out') return 'hung';
  if (end.kind === 'crashed' || end.code !== 0) return 'failed-safely';
  return left === 'whole' ? 'healed' : 'corrupt';
}

export function judge(verdict: Verdict, expect: Expectation): Judgement {
  switch (verdict) {
    case 'hung':
    case 'corrupt':
      return 'wrong';
    case 'healed':
      return expect === 'fails' ? 'wrong' : 'right';
    case 'failed-safely':
      return expect === 'heals' ? 'safe' : 'right';
  }
}

/** Compares what was left with every version that was served; either version whole is right where the content changed. */
export function leftOf(bytes: Buffer | undefined, versions: readonly Buffer[]): Left {
  if (bytes === undefined) return 'nothing';
  if (versions.some((version) => version.equals(bytes))) return 'whole';
  const isPart = versions.some(
    (version) => bytes.length < version.length && version.subarray(0, bytes.length).equals(bytes),
  );
  return isPart ? 'part' : 'other';
}
