import { expect, test } from 'vitest';
import {
  ConfigError,
  ContentChangedError,
  DeadlineError,
  type Failure,
  GaveUpError,
  type GiveUpReason,
  IntegrityError,
  tagFailure,
} from '../core/index.ts';
import { LocalError } from '../download/index.ts';
import { exitCodeOf, exitCodeOfBatch } from './exit-code.ts';

function gaveUp(reason: GiveUpReason, failure: Partial<Failure>): GaveUpError {
  const whole: Failure = {
    origin: 'tcp',
    phase: 'wait',
    kind: 'reset',
    transient: true,
    mayHaveRun: true,
    what: 'x',
    ...failure,
  };
  const error = new GaveUpError(reason, 'x', { failure: whole });
  tagFailure(error, whole);
  return error;
}

const rows: readonly (readonly [name: string, error: unknown, exit: number])[] = [
  ['a wrong option', new ConfigError('x'), 2],
  ['the disk', new LocalError('x'), 6],
  ['a digest', new IntegrityError('x'), 5],
  ['content that changed', new ContentChangedError('x'), 5],
  ['the deadline', new DeadlineError('x'), 3],
  ['resets to the end', gaveUp('attempts-exhausted', {}), 3],
  ['a 503 to the end', gaveUp('attempts-exhausted', { origin: 'status', kind: 'status', status: 503 }), 3],
  ['a pause that is too long', gaveUp('pushback-too-long', { origin: 'status', kind: 'throttled', status: 429 }), 3],
  ['a 404', gaveUp('permanent', { origin: 'status', kind: 'status', status: 404, transient: false }), 4],
  ['a 501', gaveUp('permanent', { origin: 'status', kind: 'status', status: 501, transient: false }), 4],
  ['a 407', gaveUp('permanent', { origin: 'proxy', kind: 'proxy-auth', status: 407, transient: false }), 4],
  ['a certificate', gaveUp('permanent', { origin: 'tls', kind: 'certificate', transient: false }), 1],
  ['a redirect loop', gaveUp('permanent', { origin: 'http', kind: 'redirect-loop', transient: false }), 1],
  ['what is no HTTP', gaveUp('permanent', { origin: 'http', kind: 'bad-http', transient: false }), 1],
  ['a name that does not exist', gaveUp('attempts-exhausted', { origin: 'dns', kind: 'name-not-found' }), 3],
  ['too many open files', gaveUp('attempts-exhausted', { origin: 'local', kind: 'too-many-files' }), 6],
  [
    'content that changed, at the last attempt',
    gaveUp('attempts-exhausted', { origin: 'resume', kind: 'content-changed' }),
    5,
  ],
  ['anything else', new Error('x'), 1],
];

for (const [name, error, exit] of rows) {
  test(`${name} is exit ${exit}`, () => {
    expect(exitCodeOf(error)).toBe(exit);
  });
}

test('a batch takes the first present of 6, 5, 4, 3, 1', () => {
  expect(exitCodeOfBatch([0, 0])).toBe(0);
  expect(exitCodeOfBatch([0, 1, 3])).toBe(3);
  expect(exitCodeOfBatch([3, 4, 5, 6])).toBe(6);
  expect(exitCodeOfBatch([1, 5, 4])).toBe(5);
});
