import { expect, test } from 'vitest';
import { knownFaults } from './known-faults.ts';

test('a version is named for what it does from its first to its last faulty release', () => {
  expect(knownFaults({ undici: '7.30.2' }).join()).toContain('#5360');
  expect(knownFaults({ undici: '6.24.1' }).join()).not.toContain('#5360');
  expect(knownFaults({ undici: '8.0.0' }).join()).not.toContain('#5360');
  expect(knownFaults({ node: '20.20.2' }).join()).toContain('libuv #4997');
  expect(knownFaults({ node: '24.21.0' }).join()).not.toContain('libuv #4997');
  expect(knownFaults({ curl: '7.65.0' }).join()).not.toContain('#6155');
  expect(knownFaults({ curl: '7.68.0' }).join()).toContain('#6155');
  expect(knownFaults({ curl: '7.74.0' }).join()).not.toContain('#6155');
  expect(knownFaults({ curl: '8.2.0' }).join()).toContain('#11485');
  expect(knownFaults({ curl: '8.2.1' }).join()).not.toContain('#11485');
  expect(knownFaults({ curl: '8.14.1' }).join()).toContain('#17554');
  expect(knownFaults({ curl: '8.15.0' })).toEqual([]);
  expect(knownFaults({ urllib3: '1.26.20' }).join()).toContain('#2514');
  expect(knownFaults({ urllib3: '2.0.0' })).toEqual([]);
  expect(knownFaults({})).toEqual([]);
});
