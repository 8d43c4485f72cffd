// How fast the lab serves clean bytes, beside the server of the other suites that does nothing but write.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { startServer, startWorker } from './processes.mjs';
import { interleave, median } from './rounds.mjs';

const bytes = 256 * 1024 * 1024;
const floorGibPerSecond = 1;

async function startLabServer(node, dist) {
  const child = fork(fileURLToPath(new URL('lab-server.mjs', import.meta.url)), [dist], { execPath: node });
  await once(child, 'message');
  child.send({ bytes });
  const [{ url }] = await once(child, 'message');
  const stop = async () => {
    const gone = once(child, 'exit');
    child.disconnect();
    await gone;
  };
  return { url, stop };
}

export async function lab({ node, dists, isQuick, progress }) {
  const plain = await startServer(node);
  const served = await startLabServer(node, dists.own);
  const urls = { 'a server that only writes': `${plain.origin}/big/strong/${bytes}`, 'the lab': served.url };
  const labels = Object.keys(urls);
  const worker = await startWorker(node, { contender: 'undici.request', dist: dists.own });
  const runOne = (label) => worker.run('body', { url: urls[label], bytes });
  await interleave(labels, 2, runOne);
  const samples = await interleave(labels, isQuick ? 3 : 15, runOne, progress);
  await worker.stop();
  await served.stop();
  await plain.stop();
  const gibPerSecond = (label) => bytes / 1024 ** 3 / (median(samples[label].map(({ wallMs }) => wallMs)) / 1000);
  const rows = labels.map((label) => {
    const rate = gibPerSecond(label);
    const isOurs = label === 'the lab';
    const floor = `${rate >= floorGibPerSecond ? 'reached' : 'MISSED'} (≥ ${floorGibPerSecond} GiB/s)`;
    return { label, baseline: '', cells: [`${rate.toFixed(2)} GiB/s`, isOurs ? floor : ''] };
  });
  return [
    {
      title: 'Clean bytes from the lab',
      note: `${bytes / 1024 ** 2} MiB from memory over loopback to undici.request in another process, medians`,
      columns: ['rate', 'floor'],
      rows,
    },
  ];
}
