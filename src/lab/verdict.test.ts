import { expect, test } from 'vitest';
import type { RequestRule } from './scenario.ts';
import { faultForConnection, faultsForRequest, type RequestFacts } from './verdict.ts';

const facts = (n: number, over: Partial<RequestFacts> = {}): RequestFacts => ({
  n,
  method: 'GET',
  file: 'file.bin',
  hasRange: false,
  requestOnConnection: 1,
  concurrentRequests: 1,
  atMs: 0,
  ...over,
});

/** Which of these requests, told by their facts, a rule meets. */
function met(rule: Omit<RequestRule, 'do'>, requests: readonly RequestFacts[]): number[] {
  const scenario = { name: 'x', requests: [{ ...rule, do: { kind: '412' } } as const] };
  return requests
    .filter((request, index) => faultsForRequest(scenario, request, requests.slice(0, index)).length > 0)
    .map(({ n }) => n);
}

const six = [1, 2, 3, 4, 5, 6].map((n) => facts(n, { hasRange: n % 2 === 0, requestOnConnection: n <= 3 ? n : 1 }));

test('a selector names requests by their number', () => {
  expect(met({ on: 'every' }, six)).toEqual([1, 2, 3, 4, 5, 6]);
  expect(met({ on: 2 }, six)).toEqual([2]);
  expect(met({ on: [1, 6] }, six)).toEqual([1, 6]);
  expect(met({ on: { from: 5 } }, six)).toEqual([5, 6]);
  expect(met({ on: { to: 2 } }, six)).toEqual([1, 2]);
  expect(met({ on: { from: 2, to: 3 } }, six)).toEqual([2, 3]);
  expect(met({ on: 'resumes' }, six)).toEqual([2, 4, 6]);
});

test('with a filter only what passes it is counted', () => {
  expect(met({ on: 2, where: { range: 'present' } }, six)).toEqual([4]);
  expect(met({ on: { from: 2 }, where: { range: 'absent' } }, six)).toEqual([3, 5]);
  expect(met({ on: 'every', where: { requestOnConnection: { from: 2 } } }, six)).toEqual([2, 3]);
  expect(met({ on: 'every', where: { method: ['PUT', 'POST'] } }, six)).toEqual([]);
  expect(met({ on: 1, where: { file: 'file.bin' } }, six)).toEqual([1]);
});

test('the first rule that matches decides, and nothing else', () => {
  const scenario = {
    name: 'x',
    requests: [
      { on: 2, do: [{ kind: 'delay', delayMs: 1 }, { kind: '416' }] },
      { on: 'every', do: { kind: '412' } },
    ],
  } as const;
  expect(faultsForRequest(scenario, facts(2), [facts(1)]).map(({ kind }) => kind)).toEqual(['delay', '416']);
  expect(faultsForRequest(scenario, facts(3), [facts(1), facts(2)]).map(({ kind }) => kind)).toEqual(['412']);
});

test('a connection is told by its number and by how many are open', () => {
  const scenario = {
    name: 'x',
    connections: [
      { on: 1, do: { kind: 'stall' } },
      { on: 'every', concurrentAbove: 2, do: { kind: 'cut', by: 'rst' } },
    ],
  } as const;
  expect(faultForConnection(scenario, 1, 1)).toEqual({ kind: 'stall' });
  expect(faultForConnection(scenario, 2, 2)).toBeUndefined();
  expect(faultForConnection(scenario, 3, 3)).toEqual({ kind: 'cut', by: 'rst' });
});
