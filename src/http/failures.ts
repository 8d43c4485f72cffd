/** Failures that the driver sees itself, as classified data. */
import { classify, type Failure, type FailureKind, type Observation } from '../core/index.ts';
import type { WatchAlarm } from './watch.ts';

export function hopFailure(observation: Observation): Failure {
  return classify(observation);
}

const deterministicKinds: ReadonlySet<FailureKind> = new Set(['bad-http', 'bad-chunking', 'headers-too-large']);

/** Framing that is broken twice at the same place is broken at its source. */
export function withMark(failure: Failure, atByte: number): Failure {
  return deterministicKinds.has(failure.kind) ? { ...failure, mark: `${failure.kind} at ${atByte}` } : failure;
}

const inBody = { phase: 'body', transient: true, mayHaveRun: true } as const;

export function codingFailure(error: Error): Failure {
  const { code } = error as { code?: unknown };
  const what = code === 'Z_BUF_ERROR' ? 'a content-coding that ends early' : 'a damaged content-coding';
  return {
    ...inBody,
    origin: 'decoder',
    kind: 'decoding',
    transient: false,
    ...(typeof code === 'string' ? { code } : {}),
    what,
  };
}

export function redirectFailure(what: string): Failure {
  return { origin: 'http', phase: 'wait', kind: 'redirect-loop', transient: false, mayHaveRun: true, what };
}

/** The failure of one of our clocks, and the error that stands for it in a chain of causes. */
export function alarmFailure(alarm: WatchAlarm): { readonly failure: Failure; readonly error: Error } {
  const [code, what] = describeAlarm(alarm);
  const error = Object.assign(new Error(what), { code });
  const phase = alarm.kind === 'headers' ? 'wait' : 'body';
  return { failure: classify({ phase, error, unsent: false, reusedSocket: false, answered: phase === 'body' }), error };
}

function describeAlarm(alarm: WatchAlarm): readonly [code: string, what: string] {
  switch (alarm.kind) {
    case 'headers':
      return ['ERR_REKNIT_HEADERS_TIMEOUT', `no answer within ${alarm.afterMs} ms`];
    case 'stall':
      return ['ERR_REKNIT_STALL', `no byte for ${alarm.afterMs} ms`];
    case 'trickle':
      return ['ERR_REKNIT_TRICKLE', `only ${Math.round(alarm.bytesPerSecond)} bytes per second`];
  }
}
