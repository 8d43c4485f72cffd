// Kills downloads at seeded steps and continues them: `npm run crash-test -- --seed 7 --count 1000`.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 20)) },
    count: { type: 'string', default: '1000' },
  },
});
for (const name of ['seed', 'count']) {
  if (!/^\d+$/.test(values[name])) {
    console.error(`Cannot run the crash test as --${name} must be a whole number: received ${values[name]}`);
    process.exit(2);
  }
}
console.log(`crash-test --seed ${values.seed} --count ${values.count} (Node ${process.version})`);
const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');
const env = { ...process.env, REKNIT_CRASH_SEED: values.seed, REKNIT_CRASH_COUNT: values.count };
const { status } = spawnSync(process.execPath, [vitest, 'run', 'test/crash/kill.test.ts'], { stdio: 'inherit', env });
process.exit(status ?? 1);
