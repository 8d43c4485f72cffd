/**
 * Law 8: a download that is killed, or whose disk fails, at any instant loses at most what was not durable, and its result
 * is either absent or right.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { downloadOn } from '../../src/download/download.ts';
import { LocalError } from '../../src/download/index.ts';
import { type Lab, type Run, type Scenario, startLab } from '../../src/lab/index.ts';
import { seededRandom } from '../../src/runtime/index.ts';
import { type DiskFault, FaultyDisk } from './faulty-disk.ts';

const MiB = 1_048_576;
const sizeBytes = 10 * MiB;
const target = '/d/file.bin';
const runs = Number(process.env.REKNIT_DISK_RUNS ?? 60);

let lab: Lab;
beforeAll(async () => {
  lab = await startLab();
});
afterAll(() => lab.close());

const atStep = fc.integer({ min: 1, max: 60 });

const faults = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('power-cut' as const), atStep }) },
    fc.record({ kind: fc.constant('full' as const), afterBytes: fc.integer({ min: 0, max: sizeBytes }) }),
    fc.record({
      kind: fc.constant('write-error' as const),
      atStep,
      code: fc.constantFrom('EIO', 'EACCES', 'EDQUOT', 'EFBIG'),
    }),
    fc.record({ kind: fc.constant('sync-error' as const), nth: fc.integer({ min: 1, max: 12 }) }),
    fc.record({ kind: fc.constant('rename-error' as const), code: fc.constantFrom('EXDEV', 'EACCES', 'ENOSPC') }),
    fc.record({ kind: fc.constant('short-writes' as const), everyNth: fc.integer({ min: 1, max: 5 }) }),
  ),
  { maxLength: 3 },
);

const schedule = fc.record({
  seed: fc.integer({ min: 1, max: 2 ** 30 }),
  rounds: fc.array(fc.record({ faults, back: fc.constantFrom('power-cut' as const, 'kill' as const) }), {
    minLength: 1,
    maxLength: 3,
  }),
  connections: fc.constantFrom(1, 3),
  // Of a batch: a small one touches the disk when it is whole.
  ofMany: fc.constantFrom('no' as const, 'large' as const, 'small' as const),
  cuts: fc.boolean(),
  changes: fc.boolean(),
  validator: fc.constantFrom('strong' as const, 'none' as const),
  force: fc.boolean(),
});

function play(cuts: boolean, changes: boolean, validator: 'strong' | 'none', bytes = sizeBytes): Run {
  const scenario: Scenario = {
    name: 'disk',
    resource: { sizeBytes: bytes, validator },
    ...(changes ? { changes: [{ fromRequest: 3 }] } : {}),
    ...(cuts
      ? {
          requests: [
            {
              on: 'every',
              do: { kind: 'cut', by: 'rst', at: 'body', atByte: Math.floor(bytes * 0.4), afterDrainMs: 1 },
            },
          ],
        }
      : {}),
  };
  return lab.play(scenario);
}

test('whatever a disk does, the target is absent or right, and the next run on a good disk ends with the right file', {
  timeout: 60_000 + runs * 2_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(schedule, async ({ seed, rounds, connections, ofMany, cuts, changes, validator, force }) => {
      const run = play(cuts, changes, validator, ofMany === 'small' ? 200_000 : sizeBytes);
      const hooks = { isOneOfMany: ofMany !== 'no' };
      const random = seededRandom(seed);
      const options = {
        to: target,
        force,
        retry: { baseDelayMs: 1, maxDelayMs: 1 },
        initialConnections: connections,
        maxConnections: connections,
      };
      let disk = new FaultyDisk([], random);
      for (const { faults: own, back } of rounds) {
        disk = disk.withFaults(own);
        const ended = await downloadOn(disk, run.url, options, hooks).catch((error: unknown) => error);
        const isDone = !(ended instanceof Error);
        expectRight(run, disk, isDone);
        if (!isDone) expect(ended, String(ended)).toBeInstanceOf(LocalError);
        disk = back === 'kill' && !disk.isCut ? disk.afterKill() : disk.afterPowerCut();
        // What was reported as done is done, whatever happens to the power.
        expectRight(run, disk, isDone);
        if (disk.contentOf(target) !== undefined) return;
      }
      await downloadOn(disk.withFaults([]), run.url, options, hooks);
      expectRight(run, disk, false);
    }),
    { numRuns: runs, ...(process.env.REKNIT_DISK_SEED ? { seed: Number(process.env.REKNIT_DISK_SEED) } : {}) },
  );
});

function expectRight(run: Run, disk: FaultyDisk, mustBeThere: boolean): void {
  const content = disk.contentOf(target);
  if (content === undefined) {
    expect(mustBeThere).toBe(false);
    return;
  }
  expect(run.versions.some((version) => version.bytes().equals(content))).toBe(true);
}

const named: readonly (readonly [name: string, fault: DiskFault, words: RegExp])[] = [
  ['a full disk', { kind: 'full', afterBytes: 5 * MiB }, /no space left on the disk \(ENOSPC\)/],
  ['a quota', { kind: 'write-error', atStep: 8, code: 'EDQUOT' }, /the disk quota is used up \(EDQUOT\)/],
  ['a disk that cannot sync', { kind: 'sync-error', nth: 3 }, /the disk failed to read or write \(EIO\)/],
  [
    'a target on another file system',
    { kind: 'rename-error', code: 'EXDEV' },
    /it is on another file system \(EXDEV\)/,
  ],
  ['a folder that lost its permission', { kind: 'rename-error', code: 'EACCES' }, /permission denied \(EACCES\)/],
];

for (const [name, fault, words] of named) {
  test(`${name} is told in one line, and what was durable is not fetched again`, async () => {
    const run = play(false, false, 'strong');
    const disk = new FaultyDisk([fault], seededRandom(1));
    const kept: number[] = [];
    const onEvent = (event: { readonly type: string; readonly keptBytes?: number }) => {
      if (event.type === 'kept') kept.push(event.keptBytes!);
    };
    const failure = await downloadOn(disk, run.url, { to: target, maxConnections: 1, onEvent }).catch((error) => error);
    expect(failure).toBeInstanceOf(LocalError);
    expect(failure.message).toMatch(words);
    expect(failure.message).not.toContain('\n');
    const next = await downloadOn(disk.afterPowerCut(), run.url, { to: target, maxConnections: 1 });
    expect(next.sha256).toBe(run.sha256);
    expect(kept).toEqual([next.resumedBytes]);
    expect(next.resumedBytes).toBeGreaterThan(0);
  });
}
