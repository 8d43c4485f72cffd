/**
 * All announced bytes were delivered, and then the connection broke, or fell silent, before its end was told. The client
 * asked for the nothing that was missing: `bytes=2000-`, or `bytes=1901-1900` for a part, and without a validator it
 * compared against a memory that had left the last chunk out, and reported that the content had changed.
 */
import { expect, test } from 'vitest';
import { play } from '../sim/play.ts';

for (const validator of ['strong', 'none'] as const) {
  for (const fault of [
    { kind: 'stall', permille: 1_000 },
    { kind: 'cut', permille: 1_000, how: 'reset' },
  ] as const) {
    test(`trouble (${fault.kind}) behind the last byte of a body (validator: ${validator}) is no failure`, async () => {
      const { sight, breaches } = await play({ representation: { validator }, faults: [fault] });
      expect(breaches).toEqual([]);
      expect(sight.ending.kind).toBe('complete');
      expect(sight.ledger?.attemptCount).toBe(1);
      expect(sight.ledger?.integrity).toBe('length');
    });
  }
}
