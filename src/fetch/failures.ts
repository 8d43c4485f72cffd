/** Failures that the driver sees itself, as classified data. */
import { classify, type Failure, rowOf } from '../core/index.ts';

/** Damage that comes back at the same byte is in the content, not on the wire. */
const damageKinds: ReadonlySet<Failure['kind']> = new Set(['decoding', 'bad-chunking']);

/** What a rejection of the wrapped `fetch`, or of a body of its, means. It never tells whether anything was sent. */
export function fetchFailure(error: unknown, phase: 'wait' | 'body', atByte: number): Failure {
  const failure = classify({ phase, error, unsent: false, reusedSocket: false, answered: phase === 'body' });
  return damageKinds.has(failure.kind) ? { ...failure, mark: `${failure.kind} at byte ${atByte}` } : failure;
}

/** The one rejection behind which a browser hides everything, a CORS refusal of `Range` included. */
export function hidesItsReason(error: unknown): boolean {
  return rowOf(error, 'wait')?.id === 'browser-network-error';
}
