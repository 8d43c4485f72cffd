import { expect, test } from 'vitest';
import { pickFields } from './response-fields.ts';

function answer(headers: Record<string, string>, type = 'basic'): Response {
  return Object.defineProperty(new Response('x', { headers }), 'type', { value: type });
}

test('an encoded body counts as decoded, `identity` does not', () => {
  expect(pickFields(answer({ 'content-encoding': 'gzip' })).isDecoded).toBe(true);
  expect(pickFields(answer({ 'content-encoding': 'identity' })).isDecoded).toBe(false);
  expect(pickFields(answer({})).isDecoded).toBe(false);
});

test('the answer of another origin whose fields a browser hides may have been decoded', () => {
  expect(pickFields(answer({ 'content-length': '10' }, 'cors')).isDecoded).toBe(true);
  expect(pickFields(answer({ 'access-control-allow-origin': '*' }, 'cors')).isDecoded).toBe(false);
  expect(pickFields(answer({ date: 'Thu, 01 Jan 2026 00:00:00 GMT' }, 'cors')).isDecoded).toBe(false);
});
