/** A bare `%` is allowed in a URL and common in passwords: an upstream of the gateway with one ended in `URI malformed`. */
import { expect, test } from 'vitest';
import { resolveConfig } from '../../src/gateway/index.ts';

test('an upstream of the gateway may have a password with a bare %', () => {
  const { pools } = resolveConfig({ listen: '127.0.0.1:0', upstreams: ['http://me:50%off@127.0.0.1:8000'] }, {});
  const { own, url } = pools[0]!.upstreams[0]!;
  expect(own).toEqual(['authorization', `Basic ${Buffer.from('me:50%off').toString('base64')}`]);
  expect(url).toBe('http://127.0.0.1:8000/');
});

test('an encoded login is decoded, and a password without a name is one', () => {
  const { pools } = resolveConfig({ listen: '127.0.0.1:0', upstreams: ['http://:p%40ss@127.0.0.1:8000'] }, {});
  expect(pools[0]!.upstreams[0]!.own).toEqual(['authorization', `Basic ${Buffer.from(':p@ss').toString('base64')}`]);
});
