import { expect, test } from 'vitest';
import { checkScenario } from '../../src/lab/index.ts';

const cases: readonly (readonly [scenario: unknown, message: string])[] = [
  [
    5,
    'Cannot play the scenario as it must be an object with name, seed, resource, changes, requests, connections, refuses, overflows, proxy, protocol: received 5',
  ],
  [{}, 'Cannot play the scenario as name must be lower-case words joined by -: received nothing'],
  [{ name: 'A b' }, 'Cannot play the scenario "A b" as name must be lower-case words joined by -: received "A b"'],
  [
    { name: 'x', request: [] },
    'Cannot play the scenario "x" as request must be absent (allowed: name, seed, resource, changes, requests, connections, refuses, overflows, proxy, protocol): received []',
  ],
  [
    { name: 'x', resource: { sizeBytes: -1 } },
    'Cannot play the scenario "x" as resource.sizeBytes must be an integer >= 0: received -1',
  ],
  [
    { name: 'x', requests: [{ on: 1, do: { kind: 'cut', by: 'rst', at: 'body', atByte: 1.5 } }] },
    'Cannot play the scenario "x" as requests[0].do.atByte must be an integer >= 0: received 1.5',
  ],
  [
    { name: 'x', requests: [{ on: 0, do: { kind: '412' } }] },
    "Cannot play the scenario \"x\" as requests[0].on must be 'every', 'resumes', a number from 1 on, an array of them, or { from, to }: received 0",
  ],
  [
    { name: 'x', requests: [{ on: 1, do: [{ kind: '412' }, { kind: 'stall', at: 'tail' }] }] },
    'Cannot play the scenario "x" as requests[0].do[1].at must be one of request, headers, body, end, upload: received "tail"',
  ],
  [
    { name: 'x', requests: [{ on: 1, do: { kind: 'stall', at: 'body', atByte: 1, atOffset: 2 } }] },
    'Cannot play the scenario "x" as requests[0].do must have one of atByte, atOffset, everyBytes, atRandomByte: received ["atByte","atOffset"]',
  ],
  [
    { name: 'x', requests: [{ on: 1, do: { kind: 'cut', by: 'rst', at: 'body', atRandomByte: { min: 2, max: 1 } } }] },
    'Cannot play the scenario "x" as requests[0].do.atRandomByte.min must not be above max: received 2',
  ],
  [
    { name: 'x', requests: [{ on: 1, do: { kind: 'status', status: 503, headers: { a: 'b\r\nc: d' } } }] },
    'Cannot play the scenario "x" as requests[0].do.headers must be an object of strings without line breaks: received {"a":"b\\r\\nc: d"}',
  ],
  [
    { name: 'x', changes: [{ fromRequest: 3 }, { fromRequest: 3 }] },
    'Cannot play the scenario "x" as changes[1].fromRequest must be above the one before: received 3',
  ],
  [
    { name: 'x', refuses: { forMs: '2s' } },
    'Cannot play the scenario "x" as refuses must be { forMs } or { untilOpen }: received {"forMs":"2s"}',
  ],
];
for (const [scenario, message] of cases) {
  test(message.slice(26, 110), () => {
    expect(() => checkScenario(scenario)).toThrow(new TypeError(message));
  });
}

test('an unknown kind of fault is answered with the known ones', () => {
  const scenario = { name: 'x', requests: [{ on: 1, do: { kind: 'explode' } }] };
  expect(() => checkScenario(scenario)).toThrow(
    /requests\[0\]\.do\.kind must be one of .*, cut, stall, .*: received "explode"/,
  );
});
