import { expect, test } from 'vitest';
import { printable } from './printable.ts';

test('a name in a certificate cannot write to the terminal, and a URL keeps no secret', () => {
  expect(printable('evil\u001b[2J\u009b31m\r\nCA')).toBe('evil [2J 31m CA');
  expect(printable('see https://a:b@host/?token=abc')).toBe('see https://***@host/?token=***');
  expect(printable('Zürich · “quoted”')).toBe('Zürich · “quoted”');
});
