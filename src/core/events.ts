/** What can be watched of a request, and the line that says it to a person. */
import type { Decision, GiveUpReason } from './decide.ts';
import type { Failure } from './failure.ts';
import type { Integrity, Outcome } from './ledger.ts';
import { describeFailure, describeReason, formatDuration, groupDigits } from './sentences.ts';

interface About {
  readonly method: string;
  /** Without credentials. */
  readonly url: string;
  /** 1-based. */
  readonly attemptNumber: number;
}

export type ReknitEvent = About &
  (
    | { readonly type: 'attempt'; readonly fromByte?: number }
    | { readonly type: 'response'; readonly status: number; readonly reusedConnection?: boolean }
    | { readonly type: 'failure'; readonly failure: Failure; readonly atByte: number; readonly totalBytes?: number }
    | { readonly type: 'wait'; readonly delayMs: number; readonly decision: Decision }
    | { readonly type: 'healed'; readonly atByte: number; readonly how: 'range' | 'overlap' | 'reread' }
    | { readonly type: 'give-up'; readonly reason: GiveUpReason; readonly failure: Failure }
    | {
        readonly type: 'end';
        readonly outcome: Outcome;
        readonly integrity?: Integrity;
        readonly attempts: number;
        readonly deliveredBytes: number;
      }
  );

/** What it throws is its owner's bug: told as an uncaught error, and no part of the request. */
export type EventListener = (event: ReknitEvent) => void;

type Details<T> = T extends unknown ? Omit<T, keyof About> : never;
/** What an event says beside the request that it is about. */
export type EventDetails = Details<ReknitEvent>;

/** One line for a person, or undefined for events that a log of trouble leaves out. */
export function describeEvent(event: ReknitEvent): string | undefined {
  const about = `${event.method} ${event.url}`;
  switch (event.type) {
    case 'failure': {
      const place = { atByte: event.atByte, totalBytes: event.totalBytes };
      return `attempt ${event.attemptNumber} failed: ${describeFailure(event.failure, place)} · ${about}`;
    }
    case 'wait':
      return describeWait(event, about);
    case 'healed':
      return `attempt ${event.attemptNumber} goes on at byte ${groupDigits(event.atByte)} (${event.how}) · ${about}`;
    case 'give-up':
      return `gave up after ${event.attemptNumber} attempts: ${event.reason} · ${about}`;
    case 'attempt':
    case 'response':
      return undefined;
    case 'end':
      return event.attempts > 1 && event.outcome === 'complete'
        ? `complete after ${event.attempts} attempts, ${groupDigits(event.deliveredBytes)} bytes (${event.integrity ?? 'no body'}) · ${about}`
        : undefined;
  }
}

function describeWait(event: ReknitEvent & { readonly type: 'wait' }, about: string): string {
  const { decision, delayMs } = event;
  const what = decision.kind === 'resume' ? `resuming from byte ${groupDigits(decision.fromByte)}` : 'trying again';
  const when = delayMs === 0 ? 'at once' : `in ${formatDuration(delayMs)}`;
  const why = 'because' in decision ? `: ${describeReason(decision.because)}` : '';
  return `${what} ${when}${why} · ${about}`;
}
