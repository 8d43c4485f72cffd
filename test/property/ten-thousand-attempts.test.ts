import { expect, test } from 'vitest';
import { resolvePolicy } from '../../src/core/index.ts';
import { CallDispatcher, createShared } from '../../src/http/healing.ts';
import type { HopHandler } from '../../src/http/hop-handler.ts';
import { resolveRules } from '../../src/http/request-options.ts';
import type { Transport } from '../../src/http/transport.ts';
import { seededRandom, VirtualClock } from '../../src/runtime/index.ts';

const ATTEMPTS = 10_000;

test('ten thousand attempts that fail within their call use one stack frame, and a bounded ledger', () => {
  const clock = new VirtualClock();
  const depths = new Set<number>();
  const transport: Transport = {
    send(_options, hop: HopHandler) {
      depths.add(new Error('depth').stack!.split('\n').length);
      hop.onConnect(() => {});
      hop.onError(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' }));
    },
    pass() {},
    slowDown() {},
    wentWell() {},
    isCrowded: () => false,
    close: async () => {},
    destroy: async () => {},
  };
  const policy = resolvePolicy(
    { retry: { maxAttempts: ATTEMPTS, baseDelayMs: 0 }, budget: { capacity: ATTEMPTS } },
    'test',
  );
  const runtime = { clock, random: seededRandom(1) };
  const shared = createShared({ policy, runtime, transport, isGentle: false, onEvent: undefined });
  const call = new CallDispatcher(shared, resolveRules({}, policy));
  const errors: unknown[] = [];
  const handler = {
    onConnect() {},
    onHeaders: () => true,
    onData: () => true,
    onComplete() {},
    onError: (error: unknown) => errors.push(error),
  };
  Error.stackTraceLimit = 100;
  call.dispatch({ origin: 'http://origin.test', path: '/', method: 'GET', headers: [] } as never, handler as never);
  while (clock.step()) {}
  Error.stackTraceLimit = 10;
  expect(errors).toHaveLength(1);
  expect(call.life?.ledger.attemptCount).toBe(ATTEMPTS);
  expect(call.life?.ledger.hopCount).toBe(ATTEMPTS);
  expect(call.life?.ledger.attempts).toHaveLength(512);
  expect(call.life?.ledger.attempts.at(-1)?.attemptNumber).toBe(ATTEMPTS);
  // The first is sent by the caller's own call, all others by the clock.
  expect(depths.size).toBeLessThanOrEqual(2);
  expect(shared.sweep.size).toBe(0);
});
