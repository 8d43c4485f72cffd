/**
 * `fetch` follows redirects above us: each is a dispatch of its own. A deadline that passed between two of them rang for
 * nobody, and the second dispatch ran without any.
 */
import { expect, test } from 'vitest';
import { DeadlineError } from '../../src/core/index.ts';
import { CallDispatcher } from '../../src/http/healing.ts';
import { resolveRules } from '../../src/http/request-options.ts';
import { simulate } from '../sim/simulate.ts';

test('a dispatch after the deadline is not sent', () => {
  const { client, clock, transport } = simulate([{ kind: 'redirect', status: 302, to: 'same' }]);
  const rules = resolveRules({ deadlineMs: 1_000 }, client.shared.policy, { redirectsAbove: true });
  const call = new CallDispatcher(client.shared, rules);
  const ends: unknown[] = [];
  const handler = {
    onConnect() {},
    onHeaders: () => true,
    onData: () => true,
    onComplete: () => ends.push('end'),
    onError: (error: unknown) => ends.push(error),
  };
  const options = { origin: 'http://origin.test', path: '/file', method: 'GET', headers: [] } as const;
  call.dispatch(options as never, handler as never);
  while (ends.length === 0) clock.step();
  clock.outside(5_000, () => {});
  while (clock.step()) {}
  expect(clock.nowMs()).toBeGreaterThan(1_000);
  call.dispatch(options as never, handler as never);
  while (clock.step()) {}
  expect(ends[1]).toBeInstanceOf(DeadlineError);
  expect(transport.served).toHaveLength(1);
});
