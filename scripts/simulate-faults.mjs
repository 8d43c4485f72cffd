// Runs the whole client through generated fault schedules: `npm run simulate-faults -- --seed 7 --count 300000`.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    count: { type: 'string', default: '100000' },
    schedule: { type: 'string' },
  },
});
for (const name of ['seed', 'count']) {
  if (!/^\d+$/.test(values[name])) {
    console.error(`Cannot simulate faults as --${name} must be a whole number: received ${values[name]}`);
    process.exit(2);
  }
}
const what = values.schedule === undefined ? `--seed ${values.seed} --count ${values.count}` : 'one schedule';
console.log(`simulate-faults ${what} (Node ${process.version})`);
const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');
const env = { ...process.env, REKNIT_SIM_SEED: values.seed, REKNIT_SIM_COUNT: values.count };
if (values.schedule !== undefined) env.REKNIT_SIM_SCHEDULE = values.schedule;
const { status } = spawnSync(process.execPath, [vitest, 'run', 'test/sim/faults.test.ts'], { stdio: 'inherit', env });
process.exit(status ?? 1);
