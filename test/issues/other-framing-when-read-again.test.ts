/**
 * A chunked body was cut; read again, it came from a node that ends bodies with their connections, and that connection
 * ended early. The client still judged the end by the framing of its first answer, and called a short body proven.
 */
import { expect, test } from 'vitest';
import { play } from '../sim/play.ts';

test('the end of a body is judged by the framing of the answer that ended', async () => {
  const { sight, breaches } = await play({
    representation: { framing: 'chunked', againFraming: 'close', ranges: 'ignored' },
    faults: [
      { kind: 'cut', permille: 400, how: 'reset' },
      { kind: 'cut', permille: 700, how: 'clean' },
    ],
  });
  expect(breaches).toEqual([]);
  expect(sight.ledger?.integrity).toBe('unverifiable');
});

test('a reset behind a body that only the connection delimits is seen inside the part that is read again', async () => {
  const { sight, breaches } = await play({
    representation: { framing: 'close', againFraming: 'close', ranges: 'ignored' },
    faults: [
      { kind: 'cut', permille: 800, how: 'reset' },
      { kind: 'cut', permille: 300, how: 'reset' },
      { kind: 'cut', permille: 400, how: 'reset' },
    ],
  });
  expect(breaches).toEqual([]);
  expect(sight.ending.kind).toBe('complete');
});
