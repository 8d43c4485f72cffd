import { expect, test } from 'vitest';
import { knownFaults } from './known-faults.ts';

test('a version is named for what it does from its first to its last faulty release', () => {
  expect(knownFaults({ undici: '7.30.2' }).join()).toContain('#5360');
  expect(knownFaults({ undici: '6.24.1' }).join()).not.toContain('#5360');
  expect(knownFaults({ undici: '8.0.0' }).join()).not.toContain('#5360');
  expect(knownFaults({ node: '20.20.2' }).join()).toContain('libuv #4997');
  expect(knownFaults({ node: '24.21.0' }).join()).not.toContain('libuv #4997');
  expect(knownFaults({ curl: '7.68.0' })).toHaveLength(1);
  expect(knownFaults({ curl: '7.88.1' })).toEqual([]);
  expect(knownFaults({})).toEqual([]);
});
