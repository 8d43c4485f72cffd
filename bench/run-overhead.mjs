// What `reknit run` adds to a command: the same command in a fresh process, with and without it, in turns.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { interleave, median, quantile } from './rounds.mjs';

const MOST_MS = 120;

function timed(node, words) {
  const [program, ...args] = words;
  const startedAt = performance.now();
  const { status } = spawnSync(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  if (status !== 0) throw new Error(`${words.join(' ')} ended with ${status} on ${node}`);
  return performance.now() - startedAt;
}

export async function runOverhead({ node, dists, isQuick, progress }) {
  const main = fileURLToPath(new URL('cli/main.js', dists.own));
  const run = [node, main, 'run', '--quiet'];
  const contenders = {
    'sh -c :': ['sh', '-c', ':'],
    'node -e 0': [node, '-e', '0'],
    'reknit run': [...run, '--', 'sh', '-c', ':'],
    'reknit run --via': [...run, '--via', 'DATA_URL=http://127.0.0.1:3', '--', 'sh', '-c', ':'],
  };
  const labels = Object.keys(contenders);
  const runOne = (label) => timed(node, contenders[label]);
  await interleave(labels, 2, runOne);
  const samples = await interleave(labels, isQuick ? 7 : 41, runOne, progress);
  const rows = labels.slice(1).map((label) => {
    const added = samples[label].map((ms, round) => ms - samples['sh -c :'][round]);
    const middle = median(added);
    const target = label === 'reknit run' ? `${middle < MOST_MS ? 'reached' : 'MISSED'} (< ${MOST_MS} ms)` : '';
    const half = `${quantile(added, 0.25).toFixed(0)}–${quantile(added, 0.75).toFixed(0)} ms`;
    return { label, baseline: 'sh -c :', cells: [`+${middle.toFixed(0)} ms`, half, target] };
  });
  return [
    {
      title: 'What `reknit run` adds',
      note: 'to a command that does nothing, from start to exit in a fresh process; `node -e 0` is what Node.js itself needs',
      columns: ['more', 'middle half', 'bound'],
      rows,
    },
  ];
}
