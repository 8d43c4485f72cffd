/** Runs one schedule in virtual time: nothing sleeps, and nothing happens that the schedule did not bring. */
import { seededRandom } from '../../src/runtime/index.ts';
import { type Client, consume, createClient, LIMITS, type Sight } from './consumers.ts';
import { CountedClock } from './counted-clock.ts';
import { ModelServer } from './model-server.ts';
import type { Schedule } from './schedule.ts';
import { VirtualTransport } from './virtual-transport.ts';

/** Far more steps than any schedule needs: a run that takes them does not end by itself. */
const MAX_STEPS = 60_000;
/** Promise turns between two steps; a request body takes a few for each of its chunks. */
const MAX_TURNS = 12;

export interface Run {
  readonly schedule: Schedule;
  readonly server: ModelServer;
  readonly transport: VirtualTransport;
  readonly client: Client;
  readonly sight: Sight;
  /** Timers, watched attempts and open hops at the moment when the consumer was told the end. */
  readonly leftAtEnd:
    | { readonly busy: number; readonly idle: number; readonly watched: number; readonly open: number }
    | undefined;
  readonly neverEnds: boolean;
  /** What happened outside of every promise and handler. */
  readonly thrown: unknown;
  readonly ledgerText: string;
}

export async function runSchedule(schedule: Schedule): Promise<Run> {
  const clock = new CountedClock();
  const place = Math.floor((schedule.representation.bytes * firstPermille(schedule)) / 1_000);
  const server = new ModelServer(schedule.representation, schedule.changes, place);
  let sight: Sight | undefined;
  const transport = new VirtualTransport({
    clock,
    server,
    faults: schedule.faults,
    random: seededRandom(schedule.seed ^ 0x5eed),
    chunkBytes: schedule.chunkBytes,
    connectMs: LIMITS.connectMs,
    isContinued: (request) =>
      schedule.consumer.kind === 'whole'
        ? request.headers.get('range') !== schedule.request.range
        : (sight?.bytes ?? 0) > 0,
  });
  const client = createClient(schedule, clock, transport);
  let leftAtEnd: Run['leftAtEnd'];
  let thrown: unknown;
  let steps = 0;
  try {
    sight = consume(schedule, client);
    for (; steps < MAX_STEPS; steps += 1) {
      await settle(transport, schedule, sight);
      if (sight.endings > 0)
        leftAtEnd ??= { busy: clock.busy, idle: clock.idle, watched: client.shared.sweep.size, open: transport.open };
      if (!clock.step()) break;
    }
  } catch (error) {
    thrown = error;
  }
  return {
    schedule,
    server,
    transport,
    client,
    sight: sight!,
    leftAtEnd,
    neverEnds: steps >= MAX_STEPS,
    thrown,
    ledgerText: JSON.stringify(sight?.ledger) ?? '',
  };
}

/** Only request bodies and whole bodies use promises; all else happens within a step. */
async function settle(transport: VirtualTransport, schedule: Schedule, sight: Sight): Promise<void> {
  const isQuiet = transport.reading === 0 && (schedule.consumer.kind !== 'whole' || sight.endings > 0);
  if (isQuiet) return;
  for (let turn = 0; turn < MAX_TURNS; turn += 1) await Promise.resolve();
}

function firstPermille({ faults }: Schedule): number {
  const cut = faults.find((fault) => fault.kind === 'cut');
  return cut === undefined ? 500 : cut.permille;
}
