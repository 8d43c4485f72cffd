import { seededRandom } from '../../src/runtime/index.ts';
import { type Client, createClient, LIMITS } from './consumers.ts';
import { CountedClock } from './counted-clock.ts';
import { ModelServer } from './model-server.ts';
import { plainSchedule } from './play.ts';
import type { Fault } from './schedule.ts';
import { VirtualTransport } from './virtual-transport.ts';

export interface Simulation {
  readonly clock: CountedClock;
  readonly transport: VirtualTransport;
  readonly client: Client;
  /** Steps the clock until the promise has settled. */
  turn<T>(promise: Promise<T>): Promise<T>;
}

/** The parts of a simulation, for tests that bring a consumer of their own. */
export function simulate(faults: readonly Fault[]): Simulation {
  const schedule = plainSchedule({ faults });
  const clock = new CountedClock();
  const transport = new VirtualTransport({
    clock,
    server: new ModelServer(schedule.representation, [], 0),
    faults,
    random: seededRandom(schedule.seed),
    chunkBytes: schedule.chunkBytes,
    connectMs: LIMITS.connectMs,
    isContinued: () => false,
  });
  return {
    clock,
    transport,
    client: createClient(schedule, clock, transport),
    turn: (promise) => turn(clock, promise),
  };
}

async function turn<T>(clock: CountedClock, promise: Promise<T>): Promise<T> {
  let isSettled = false;
  const settle = () => {
    isSettled = true;
  };
  promise.then(settle, settle);
  for (let step = 0; step < 10_000 && !isSettled; step += 1) {
    for (let turns = 0; turns < 20; turns += 1) await Promise.resolve();
    if (!isSettled) clock.step();
  }
  return promise;
}
