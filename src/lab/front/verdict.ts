/** What a front does to its n-th connection, and where. Pure. */
import { drawBetween } from '../seeded.ts';
import { selects } from '../verdict.ts';
import type { Direction, FrontFault, FrontRule, StreamPosition } from './plan.ts';

export function faultsForFront(
  rules: readonly FrontRule[],
  n: number,
  openConnections: number,
  seed: number,
): readonly FrontFault[] {
  const rule = rules.find((candidate, index) => matches(candidate, index, n, openConnections, seed));
  return rule === undefined ? [] : ([rule.do].flat() as readonly FrontFault[]);
}

function matches(
  { on, concurrentAbove, shareRatio }: FrontRule,
  index: number,
  n: number,
  open: number,
  seed: number,
): boolean {
  if (!selects(on, n)) return false;
  if (concurrentAbove !== undefined && open <= concurrentAbove) return false;
  return shareRatio === undefined || drawBetween(0, 2 ** 32 - 1, seed, n, index) < shareRatio * 2 ** 32;
}

/** A place where the stream stops. */
export interface LaneStop {
  readonly atByte: number;
  readonly fault: Extract<FrontFault, { kind: 'cut' | 'stall' }>;
}

/** One direction of one connection. */
export interface Lane {
  /** In the order of their places. */
  readonly stops: readonly LaneStop[];
  readonly pace?: { readonly chunkBytes: number; readonly everyMs: number; readonly fromByte: number };
  readonly delayMs: number;
}

/** Time slices of a rate: short enough to be smooth, long enough for timers to be right. */
const rateSliceMs = 20;

export function laneFor(
  faults: readonly FrontFault[],
  direction: Direction,
  where: { readonly n: number; readonly seed: number; readonly passedBytes: number },
): Lane {
  const own = faults.filter((fault) => fault.kind !== 'refuse' && (fault.direction ?? 'down') === direction);
  const stops = own.flatMap((fault): LaneStop[] =>
    fault.kind === 'cut' || fault.kind === 'stall' ? [{ atByte: bytesBefore(fault, where), fault }] : [],
  );
  const pace = own.flatMap(paceOf)[0];
  const latency = own.find((fault) => fault.kind === 'latency');
  return {
    stops: stops.sort((a, b) => a.atByte - b.atByte),
    ...(pace && { pace }),
    delayMs: latency?.delayMs ?? 0,
  };
}

function bytesBefore(
  { atByte, everyBytes, atRandomByte }: StreamPosition,
  { n, seed, passedBytes }: { readonly n: number; readonly seed: number; readonly passedBytes: number },
): number {
  if (atByte !== undefined) return atByte;
  if (everyBytes !== undefined) return everyBytes - (passedBytes % everyBytes);
  return atRandomByte === undefined ? 0 : drawBetween(atRandomByte.min, atRandomByte.max, seed, n);
}

function paceOf(fault: FrontFault): readonly NonNullable<Lane['pace']>[] {
  if (fault.kind === 'trickle') {
    return [{ chunkBytes: fault.chunkBytes, everyMs: fault.everyMs, fromByte: fault.fromByte ?? 0 }];
  }
  if (fault.kind !== 'rate') return [];
  const chunkBytes = Math.max(1, Math.floor((fault.bytesPerSecond * rateSliceMs) / 1000));
  return [{ chunkBytes, everyMs: (chunkBytes * 1000) / fault.bytesPerSecond, fromByte: 0 }];
}
