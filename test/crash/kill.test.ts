/**
 * SIGKILL between any two steps on the disk, and inside of a write; then the same command again, until it is done. More of
 * it: `npm run crash-test -- --seed 1 --count 1000`.
 */
import { expect, test } from 'vitest';
import { startLab } from '../../src/lab/index.ts';
import { createFolder } from '../cli/command.ts';
import { type Crashes, type CrashPlan, downloadThroughKills } from './crashes.ts';

const MiB = 1_048_576;
const count = Number(process.env.REKNIT_CRASH_COUNT ?? 40);
const firstSeed = Number(process.env.REKNIT_CRASH_SEED ?? 1);
const KILLS_PER_FILE = 5;
/** More would compete for the processor, and bytes would pile up in the kernel that no download can know of. */
const AT_ONCE = 2;

test(`${count} kills: the right bytes in the end, and at most 4 MiB fetched again for each`, {
  // Far above what it takes, even where it has a tenth of a processor.
  timeout: 120_000 + count * 12_000,
}, async () => {
  await using folder = await createFolder();
  const figures = new Figures();
  let seed = firstSeed;
  let planned = 0;
  const oneByOne = async (): Promise<void> => {
    while (planned < count) {
      const most = Math.min(KILLS_PER_FILE, count - planned);
      planned += most;
      const plan = { seed, changes: seed % 3 === 0, checksum: seed % 4 === 0 };
      seed += 1;
      // A lab keeps the bodies that it has served.
      await using lab = await startLab({ sparePorts: 0 });
      const ended = await downloadThroughKills(lab, folder, plan, most);
      // What a file did not need is left to the next one.
      planned -= most - ended.kills;
      figures.add(plan, ended);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, oneByOne));
  if (process.env.REKNIT_CRASH_COUNT !== undefined) console.log(JSON.stringify(figures));
  expect(figures.kills).toBe(count);
});

class Figures {
  kills = 0;
  files = 0;
  changedFiles = 0;
  /** Killed behind the rename. */
  killedWhenDone = 0;
  mostRefetchedBytes = 0;
  /** The same with what was lost in the kernel's buffers. */
  mostSentAgainBytes = 0;
  refetchedBytes = 0;

  add(plan: CrashPlan, { kills, version, sentAgainBytes, refetchedBytes, wasThereEarly }: Crashes): void {
    const about = JSON.stringify(plan);
    expect(version, about).toBeGreaterThanOrEqual(0);
    const most = Math.max(0, ...refetchedBytes);
    // Of a version that a checksum disproves everything is fetched once more, past caches: that is no cost of a kill.
    const isDisproved = plan.changes && plan.checksum;
    if (!isDisproved) {
      expect(most, about).toBeLessThanOrEqual(4 * MiB);
      this.mostRefetchedBytes = Math.max(this.mostRefetchedBytes, most);
      this.mostSentAgainBytes = Math.max(this.mostSentAgainBytes, ...sentAgainBytes);
    }
    this.kills += kills;
    this.files += 1;
    this.changedFiles += plan.changes ? 1 : 0;
    this.killedWhenDone += wasThereEarly ? 1 : 0;
    this.refetchedBytes += refetchedBytes.reduce((sum, bytes) => sum + bytes, 0);
  }
}
