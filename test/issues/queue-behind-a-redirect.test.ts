/**
 * The clock that watches for silence in a body went on while the hop behind a redirect waited for a free connection: on a
 * busy client it rang there, and called the waiting a stall of the redirect's body.
 */
import { expect, test } from 'vitest';
import type { HopHandler } from '../../src/http/hop-handler.ts';
import type { DispatchOptions, HopRoute } from '../../src/http/transport.ts';
import { consume, createClient } from '../sim/consumers.ts';
import { plainSchedule } from '../sim/play.ts';
import { simulate } from '../sim/simulate.ts';

test('waiting for a connection behind a redirect is no stall', () => {
  const faults = [{ kind: 'redirect', status: 302, to: 'same' }] as const;
  const { clock, transport } = simulate(faults);
  const busy = Object.assign(Object.create(transport) as typeof transport, {
    send(options: DispatchOptions, hop: HopHandler, route: HopRoute) {
      clock.outside(30_000, () => transport.send(options, hop, route));
    },
  });
  const schedule = plainSchedule({ faults });
  const sight = consume(schedule, createClient(schedule, clock, busy));
  while (clock.step()) {}
  expect(sight.ending.kind).toBe('complete');
  expect(sight.ledger?.attemptCount).toBe(1);
});
