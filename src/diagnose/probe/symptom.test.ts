import { expect, test } from 'vitest';
import { classify, type Phase } from '../../core/index.ts';
import { symptomOf } from './symptom.ts';
import type { RequestTrace } from './trace.ts';

const request: RequestTrace = {
  n: 1,
  experiment: 'plain',
  label: '',
  method: 'GET',
  connectionNumber: 1,
  onConnection: 1,
  startedMs: 0,
  atWallMs: 0,
  bodyBytes: 10,
  hasAnswerBytes: false,
  isComplete: true,
  isCutByUs: false,
  start: new Uint8Array(),
  symptom: 'ok',
};

function failed(phase: Phase, error: object, more: Partial<RequestTrace> = {}): string {
  const failure = classify({
    phase,
    error: Object.assign(new Error('x'), error),
    unsent: false,
    reusedSocket: false,
    answered: false,
  });
  return symptomOf({ ...request, isComplete: false, ...more, failure }, '/', false);
}

test('one code is another trouble in another phase', () => {
  expect(failed('connect', { code: 'ECONNRESET', syscall: 'connect' })).toBe('reset-on-connect');
  expect(failed('tls', { code: 'ECONNRESET' })).toBe('tls-cut');
  expect(failed('wait', { code: 'ECONNRESET' })).toBe('no-answer');
  expect(failed('wait', { code: 'ECONNRESET' }, { hasAnswerBytes: true })).toBe('cut-in-headers');
  expect(failed('body', { code: 'ECONNRESET' })).toBe('cut-in-body');
  expect(failed('connect', { code: 'ECONNREFUSED', syscall: 'connect' })).toBe('refused');
  expect(failed('resolve', { code: 'ENOTFOUND', syscall: 'getaddrinfo' })).toBe('name-not-found');
  expect(failed('tls', { code: 'CERT_HAS_EXPIRED' })).toBe('bad-certificate');
  expect(failed('tls', { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })).toBe('untrusted');
  expect(failed('wait', { code: 'HPE_INVALID_CONSTANT' })).toBe('bad-http');
});

test('a page is foreign where a file was asked for, and nothing else is', () => {
  const page = {
    ...request,
    status: 200,
    headers: { 'content-type': 'text/html' },
    start: Buffer.from('<!doctype html><p>hello'),
  };
  expect(symptomOf(page, '/file.zip', false)).toBe('foreign');
  expect(symptomOf(page, '/', false)).toBe('ok');
  expect(symptomOf({ ...page, start: Buffer.from('<html>Web Page Blocked') }, '/', false)).toBe('foreign');
  expect(symptomOf({ ...request, status: 200, headers: {} }, '/file.zip', false)).toBe('ok');
});

test('an empty 200 is suspicious, an empty answer to HEAD or a 204 is not', () => {
  expect(symptomOf({ ...request, status: 200, bodyBytes: 0 }, '/', false)).toBe('empty');
  expect(symptomOf({ ...request, status: 204, bodyBytes: 0 }, '/', false)).toBe('ok');
  expect(symptomOf({ ...request, method: 'HEAD', status: 200, bodyBytes: 0 }, '/', false)).toBe('ok');
});
