/** How an answer goes out: the delivery faults of a request, resolved to exact places in it. Pure. */
import type { Answer } from './answer.ts';
import { resolvePosition } from './body-position.ts';
import type { CutFault, DeliveryFault, EndedHow, StallFault, TrickleFault } from './scenario.ts';

/** What happens when a place in the answer is reached. */
export type StopAction =
  | { readonly kind: 'cut'; readonly by: EndedHow; readonly drainMs: number; readonly chunk: 'inside' | 'between' }
  | { readonly kind: 'stall'; readonly forMs?: number }
  | { readonly kind: 'gate'; readonly name: string }
  | { readonly kind: 'junk'; readonly bytes: Buffer };

export interface BodyStop {
  /** Body bytes that are sent before it. */
  readonly atByte: number;
  readonly action: StopAction;
}

/** What is written or waited for before the answer's head. */
export type Prelude =
  | { readonly kind: 'delay'; readonly delayMs: number }
  | { readonly kind: 'gate'; readonly name: string }
  | { readonly kind: 'stall'; readonly forMs?: number }
  | { readonly kind: 'send'; readonly bytes: Buffer };

export interface Delivery {
  readonly before: readonly Prelude[];
  /** Instead of an answer. */
  readonly cutInstead?: EndedHow;
  readonly insideHead?: { readonly atByte?: number; readonly action: StopAction };
  /** In the order of their places. */
  readonly inBody: readonly BodyStop[];
  /** Behind the last body byte and before the end mark of chunked framing. */
  readonly atEnd: readonly StopAction[];
  readonly pace?: TrickleFault;
  /** Ends the idle connection behind a complete answer that did not announce it. */
  readonly after?: { readonly by: EndedHow; readonly afterMs: number };
  readonly saysClose: boolean;
}

/** Time for a client to take what was sent from the socket before a reset (a reset may overtake data in libuv). */
export const defaultDrainMs = 40;

export function deliveryFor(
  faults: readonly DeliveryFault[],
  answer: Answer,
  seed: number,
  requestNumber: number,
): Delivery {
  const bounds = { sizeBytes: answer.body.sizeBytes, startsAt: answer.startsAt, seed, requestNumber };
  const stops = faults.flatMap((fault) => stopsOf(fault));
  const at = (place: string) => stops.filter((stop) => stop.at === place);
  const inBody = at('body').flatMap((stop): BodyStop[] => {
    const atByte = resolvePosition(stop.fault, bounds);
    return atByte === undefined ? [] : [{ atByte, action: stop.action }];
  });
  const cutInstead = faults.find((fault) => fault.kind === 'cut' && fault.at === 'request') as CutFault | undefined;
  const [insideHead] = at('headers');
  const pace = faults.find((fault) => fault.kind === 'trickle');
  const after = faults.find((fault) => fault.kind === 'close-after');
  const headAtByte = insideHead === undefined ? undefined : insideHead.fault.atByte;
  return {
    before: faults.flatMap((fault) => preludeOf(fault)),
    ...(cutInstead && { cutInstead: cutInstead.by }),
    ...(insideHead && {
      insideHead: { action: insideHead.action, ...(headAtByte !== undefined && { atByte: headAtByte }) },
    }),
    inBody: inBody.sort((a, b) => a.atByte - b.atByte),
    atEnd: at('end').map((stop) => stop.action),
    ...(pace && { pace }),
    ...(after && { after: { by: after.by, afterMs: after.afterMs ?? 0 } }),
    saysClose: faults.some((fault) => fault.kind === 'cut' && fault.connection === 'close'),
  };
}

/** Where the request's body is left, and what happens then. */
export function uploadStop(
  faults: readonly DeliveryFault[],
): { readonly atByte: number; readonly action: StopAction } | undefined {
  const stop = faults.flatMap((fault) => stopsOf(fault)).find(({ at }) => at === 'upload');
  return stop === undefined ? undefined : { atByte: stop.fault.atByte ?? 0, action: stop.action };
}

interface PlacedStop {
  readonly at: string;
  readonly fault: Extract<DeliveryFault, { kind: 'cut' | 'stall' | 'gate' | 'bad-chunk' }>;
  readonly action: StopAction;
}

function stopsOf(fault: DeliveryFault): readonly PlacedStop[] {
  switch (fault.kind) {
    case 'cut': {
      const drainMs = fault.by === 'rst' ? (fault.afterDrainMs ?? defaultDrainMs) : 0;
      return [{ at: fault.at, fault, action: { kind: 'cut', by: fault.by, drainMs, chunk: fault.chunk ?? 'inside' } }];
    }
    case 'stall':
      return [{ at: fault.at, fault, action: stallOf(fault) }];
    case 'gate':
      return fault.at === undefined || fault.at === 'headers'
        ? []
        : [{ at: fault.at, fault, action: { kind: 'gate', name: fault.name } }];
    case 'bad-chunk':
      return [{ at: 'body', fault, action: { kind: 'junk', bytes: Buffer.from(fault.text ?? 'zz;\r\n', 'latin1') } }];
    case 'trickle':
    case 'delay':
    case 'informational':
    case 'close-after':
      return [];
  }
}

function preludeOf(fault: DeliveryFault): readonly Prelude[] {
  if (fault.kind === 'delay') return [{ kind: 'delay', delayMs: fault.delayMs }];
  if (fault.kind === 'gate' && (fault.at ?? 'headers') === 'headers') return [{ kind: 'gate', name: fault.name }];
  if (fault.kind === 'stall' && fault.at === 'request') return [stallOf(fault)];
  if (fault.kind !== 'informational') return [];
  const headers = Object.entries(fault.headers ?? {}).map(([name, value]) => `${name}: ${value}\r\n`);
  const bytes = Buffer.from(`HTTP/1.1 ${fault.status} Informational\r\n${headers.join('')}\r\n`, 'latin1');
  return Array.from({ length: fault.times ?? 1 }, () => ({ kind: 'send', bytes }));
}

function stallOf({ forMs }: StallFault): { kind: 'stall'; forMs?: number } {
  return forMs === undefined ? { kind: 'stall' } : { kind: 'stall', forMs };
}
