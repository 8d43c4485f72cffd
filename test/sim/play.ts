/** One schedule by hand: what is not said is a plain GET of 2,000 bytes with a strong ETag, patiently read. */
import { findBreaches } from './laws.ts';
import { type Run, runSchedule } from './run-schedule.ts';
import type { ConsumerPlan, Representation, RequestPlan, Schedule } from './schedule.ts';

export interface Play {
  readonly seed?: number;
  readonly chunkBytes?: number;
  readonly representation?: Partial<Representation>;
  readonly changes?: Schedule['changes'];
  readonly faults: Schedule['faults'];
  readonly request?: Partial<RequestPlan>;
  readonly consumer?: Partial<ConsumerPlan>;
  readonly policy?: Partial<Schedule['policy']>;
}

export async function play(given: Play): Promise<Run & { readonly breaches: readonly string[] }> {
  const run = await runSchedule(plainSchedule(given));
  return { ...run, breaches: findBreaches(run, true) };
}

export function plainSchedule(given: Play): Schedule {
  return {
    seed: given.seed ?? 7,
    chunkBytes: given.chunkBytes ?? 400,
    representation: {
      bytes: 2_000,
      framing: 'length',
      againFraming: 'length',
      partFraming: 'length',
      validator: 'strong',
      ranges: 'honoured',
      repeatsValidator: true,
      ...given.representation,
    },
    changes: given.changes ?? [],
    faults: given.faults,
    request: {
      method: 'GET',
      body: 'none',
      bodyBytes: 0,
      replayBufferBytes: 1_000,
      range: undefined,
      idempotencyKey: false,
      deadlineMs: undefined,
      mayOverlapBlindly: false,
      ...given.request,
    },
    consumer: { kind: 'call', pausesEvery: 0, pauseMs: 0, abort: undefined, ...given.consumer },
    policy: { maxAttempts: 8, capacity: 20, minProgressBytes: 1, ...given.policy },
  };
}

/** The reason of the error that it ended with, or its code. */
export function reasonOf({ sight }: Run): unknown {
  if (sight.ending.kind !== 'error') return sight.ending.kind;
  const { reason, code, message } = sight.ending.error as { reason?: string; code?: string; message: string };
  return reason ?? code ?? message;
}
