/** What can be watched of a request: `onEvent`, the diagnostics channel `reknit:event`, and the lines of `REKNIT_LOG`. */
import { channel } from 'node:diagnostics_channel';
import {
  type Decision,
  describeFailure,
  describeReason,
  type Failure,
  formatDuration,
  type GiveUpReason,
  groupDigits,
  type Integrity,
  type Outcome,
} from '../core/index.ts';

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

export type EventListener = (event: ReknitEvent) => void;

/** Subscribe to `reknit:event` with `node:diagnostics_channel` to see every request of the process. */
export const eventChannel = channel('reknit:event');

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
