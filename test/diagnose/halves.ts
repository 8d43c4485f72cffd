/** The catalogue in two halves: one to mend by, one that is held back. */
import { catalogue } from '../../src/lab/index.ts';
import { seeded } from './scenario.ts';

/** Which half is which is drawn by this. */
export const HALVES_SEED = 20261128;

/** Tried blindly once, before there were halves: whoever mends has seen them. */
const seenBefore: readonly string[] = [
  'last-modified-change',
  '500-once',
  'change-under-same-etag',
  'cut-at-97-percent',
  'status-401',
  '206-no-content-range',
  'close-fin',
  'status-404',
  'not-http',
  '503-retry-fraction',
];

export interface Halves {
  readonly mended: readonly string[];
  readonly heldBack: readonly string[];
}

export function halvesOf(seed: number): Halves {
  const names = catalogue.map(({ scenario }) => scenario.name);
  const drawn = shuffled(
    names.filter((name) => !seenBefore.includes(name)),
    seed,
  );
  const count = Math.ceil(names.length / 2) - seenBefore.length;
  return { mended: [...seenBefore, ...drawn.slice(0, count)], heldBack: drawn.slice(count) };
}

/** Fisher and Yates. */
export function shuffled<T>(list: readonly T[], seed: number): readonly T[] {
  const random = seeded(seed);
  const result = [...list];
  for (let last = result.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    [result[last], result[other]] = [result[other]!, result[last]!];
  }
  return result;
}
