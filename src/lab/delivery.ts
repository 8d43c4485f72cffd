/** How an answer goes out: the delivery faults of a request, resolved to exact places in it. Pure. */
import type { Answer } from './answer.ts';
import { resolvePosition } from './body-position.ts';
import type {
  CutFault,
  DeliveryFault,
  EndedHow,
  Http2Code,
  Http2Fault,
  OddFrame,
  StallFault,
  TlsRecordFault,
  TrickleFault,
} from './scenario.ts';

/** What happens when a place in the answer is reached. */
export type StopAction =
  | { readonly kind: 'cut'; readonly by: EndedHow; readonly drainMs: number; readonly chunk: 'inside' | 'between' }
  | { readonly kind: 'stall'; readonly forMs?: number }
  | { readonly kind: 'gate'; readonly name: string }
  | { readonly kind: 'junk'; readonly bytes: Buffer }
  | RecordAction
  | FrameAction;

/** What only TLS can do. */
export interface RecordAction {
  readonly kind: 'tls-record';
  readonly which: 'garbage' | 'plain-alert' | 'alert';
}

/** What only HTTP/2 can do. */
export type FrameAction =
  | { readonly kind: 'rst-stream'; readonly code: Http2Code }
  | { readonly kind: 'goaway'; readonly code: Http2Code; readonly covers: 'this' | 'earlier' }
  | { readonly kind: 'end-stream' }
  | { readonly kind: 'odd-frame'; readonly which: OddFrame };

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
  | { readonly kind: 'informational'; readonly status: number; readonly headers: Readonly<Record<string, string>> }
  | RecordAction
  | FrameAction;

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
  readonly headPace?: TrickleFault;
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
  const paces = faults.filter((fault) => fault.kind === 'trickle');
  const pace = paces.find(({ at }) => at !== 'headers');
  const headPace = paces.find(({ at }) => at === 'headers');
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
    ...(headPace && { headPace }),
    ...(after && { after: { by: after.by, afterMs: after.afterMs ?? 0 } }),
    saysClose: faults.some((fault) => fault.kind === 'cut' && fault.connection === 'close'),
  };
}

const pieceBytes = 512 * 1024;

/** How much is sent in one go at this place of the body, and the wait behind it. */
export function stepAt(
  pace: TrickleFault | undefined,
  at: number,
): { readonly bytes: number; readonly pauseMs: number } {
  if (pace === undefined) return { bytes: pieceBytes, pauseMs: 0 };
  const { fromByte = 0, toByte = Number.POSITIVE_INFINITY } = pace;
  if (at >= fromByte && at < toByte) return { bytes: pace.chunkBytes, pauseMs: pace.everyMs };
  return { bytes: at < fromByte ? Math.min(pieceBytes, fromByte - at) : pieceBytes, pauseMs: 0 };
}

/** Where the request's body is left, and what happens then. */
export function uploadStop(
  faults: readonly DeliveryFault[],
): { readonly atByte: number; readonly action: StopAction } | undefined {
  const stop = faults.flatMap((fault) => stopsOf(fault)).find(({ at }) => at === 'upload');
  return stop === undefined ? undefined : { atByte: stop.fault.atByte ?? 0, action: stop.action };
}

type FramedFault = TlsRecordFault | Http2Fault;

interface PlacedStop {
  readonly at: string;
  readonly fault: Extract<DeliveryFault, { kind: 'cut' | 'stall' | 'gate' | 'bad-chunk' } | FramedFault>;
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
    case 'end-stream':
      return [{ at: 'body', fault, action: { kind: 'end-stream' } }];
    case 'tls-record':
    case 'rst-stream':
    case 'goaway':
    case 'odd-frame':
      return fault.at === 'request' ? [] : [{ at: fault.at ?? 'body', fault, action: frameActionOf(fault) }];
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
  if (isFramed(fault)) return fault.at === 'request' ? [frameActionOf(fault)] : [];
  if (fault.kind !== 'informational') return [];
  const { status, headers = {} } = fault;
  return Array.from({ length: fault.times ?? 1 }, () => ({ kind: 'informational', status, headers }));
}

function isFramed(fault: DeliveryFault): fault is Exclude<FramedFault, { kind: 'end-stream' }> {
  return ['tls-record', 'rst-stream', 'goaway', 'odd-frame'].includes(fault.kind);
}

function frameActionOf(fault: Exclude<FramedFault, { kind: 'end-stream' }>): RecordAction | FrameAction {
  switch (fault.kind) {
    case 'tls-record':
      return { kind: fault.kind, which: fault.which };
    case 'rst-stream':
      return { kind: fault.kind, code: fault.code };
    case 'goaway':
      return { kind: fault.kind, code: fault.code, covers: fault.covers };
    case 'odd-frame':
      return { kind: fault.kind, which: fault.which };
  }
}

function stallOf({ forMs }: StallFault): { kind: 'stall'; forMs?: number } {
  return forMs === undefined ? { kind: 'stall' } : { kind: 'stall', forMs };
}
