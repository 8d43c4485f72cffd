import { expect, test } from 'vitest';
import { parseChecksum, serverDigestOf } from './checksum.ts';

const hex = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
const base64 = Buffer.from(hex, 'hex').toString('base64');
const md5 = '900150983cd24fb0d6963f7d28e17f72';

test('a checksum is read in every form that people write', () => {
  const sha256 = { algorithm: 'sha256', hex };
  expect(parseChecksum(`sha256:${hex}`, 'x')).toEqual(sha256);
  expect(parseChecksum(`SHA-256:${hex.toUpperCase()}`, 'x')).toEqual(sha256);
  expect(parseChecksum(`sha256-${base64}`, 'x')).toEqual(sha256);
  expect(parseChecksum(`sha256-${base64}?option`, 'x')).toEqual(sha256);
  expect(parseChecksum(`md5:${md5}`, 'x')).toEqual({ algorithm: 'md5', hex: md5 });
});

test('of several digests the strongest counts', () => {
  expect(parseChecksum(`md5:${md5} sha256-${base64}`, 'x').algorithm).toBe('sha256');
});

test('anything else is refused, and shown', () => {
  for (const text of [
    '',
    hex,
    `sha256:${hex.slice(2)}`,
    `sha256:${hex}00`,
    `sha3:${hex}`,
    `md5-${base64}`,
    `sha256:${hex} x`,
  ]) {
    expect(() => parseChecksum(text, 'use it')).toThrow(/^Cannot use it as it must be sha256:HEX, .*: received "/);
  }
});

test('the digest of the whole is read from the fields of the server', () => {
  const found = { algorithm: 'sha256', hex };
  expect(serverDigestOf({ 'repr-digest': `sha-256=:${base64}:` }, false)).toEqual(found);
  expect(serverDigestOf({ 'repr-digest': `unixsum=:AAAA:, sha-256=:${base64}:;x=1` }, false)).toEqual(found);
  expect(
    serverDigestOf({ digest: `SHA-256=${base64},md5=${Buffer.from(md5, 'hex').toString('base64')}` }, false),
  ).toEqual(found);
  expect(serverDigestOf({ digest: [`sha-256=${base64}`] }, false)).toEqual(found);
});

test('the digest of a part is no digest of the whole', () => {
  const headers = { 'content-digest': `sha-256=:${base64}:` };
  expect(serverDigestOf(headers, false)).toBeUndefined();
  expect(serverDigestOf(headers, true)).toEqual({ algorithm: 'sha256', hex });
});

test('garbage in a digest field is as if it were absent', () => {
  for (const value of ['', 'x', 'sha-256', 'sha-256=:!:', 'sha-256=:AAAA:', ':::']) {
    expect(serverDigestOf({ 'repr-digest': value, digest: value }, true)).toBeUndefined();
  }
});
