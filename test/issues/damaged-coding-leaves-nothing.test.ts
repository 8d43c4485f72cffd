/**
 * `client.json` of a body that was no JSON, or whose validator threw, rejected and left its request open: the ledger said
 * so for ever, and the timer of its deadline stayed. So did a wait that was aborted.
 */
import { expect, test } from 'vitest';
import { fetchWhole } from '../../src/http/whole.ts';
import { simulate } from '../sim/simulate.ts';

test('a reader that throws ends the request', async () => {
  const { client, clock, turn } = simulate([]);
  let outcome: unknown;
  const result = fetchWhole(client.shared, 'http://origin.test/file', { deadlineMs: 600_000 }, ({ ledger }) => {
    outcome = () => ledger.outcome;
    throw new Error('no JSON');
  }).catch((error: Error) => error.message);
  expect(await turn(result)).toBe('no JSON');
  expect((outcome as () => string)()).toBe('failed');
  while (clock.step()) {}
  expect(clock.nowMs()).toBeLessThan(10_000);
});

test('an abort in the wait after a doubtful body ends the request at once', async () => {
  const { client, clock, turn } = simulate([]);
  const stop = new AbortController();
  let ledger: { readonly outcome: string } | undefined;
  const options = { signal: stop.signal, deadlineMs: 600_000 };
  const result = fetchWhole(client.shared, 'http://origin.test/file', options, (answer) => {
    ledger = answer.ledger;
    queueMicrotask(() => queueMicrotask(() => stop.abort(new Error('enough'))));
    return { kind: 'doubt', what: 'a body' };
  }).catch((error: Error) => error.message);
  expect(await turn(result)).toBe('enough');
  expect(ledger?.outcome).toBe('aborted');
  while (clock.step()) {}
  expect(clock.nowMs()).toBeLessThan(10_000);
});
