// What is measured. Each suite returns tables of ratios against a baseline that ran beside it, with the baseline itself
// a second time as the control: whatever the control shows away from 1.00 is noise.

import { downloadParts, downloads } from './downloads.mjs';
import { gateway } from './gateway/suite.mjs';
import { lab } from './lab.mjs';
import { mirror } from './mirror.mjs';
import { importOnce, startServer, startWorker } from './processes.mjs';
import { compare, interleave, median } from './rounds.mjs';
import { runOverhead } from './run-overhead.mjs';

const control = (baseline) => `${baseline} (control)`;
const contenderOf = (label) => label.replace(/ \(.*\)$/, '');

/** Several sets of processes: how the compiler happened to treat one process would else look like a property of its code. */
async function runInSets({ node, dists, labels, sets, rounds, order, progress }) {
  const samples = Object.fromEntries(labels.map((label) => [label, []]));
  for (let set = 0; set < sets; set += 1) {
    const server = await startServer(node);
    const workers = {};
    for (const label of labels) {
      const dist = label.endsWith('(other)') ? dists.other : dists.own;
      workers[label] = await startWorker(node, { contender: contenderOf(label), dist });
    }
    const runOne = (label) => workers[label].run(order.round, order.of(server.origin, label));
    await interleave(labels, order.warmRounds, runOne);
    const found = await interleave(labels, rounds, runOne, (done) => progress(set * rounds + done, sets * rounds));
    for (const label of labels) samples[label].push(...found[label]);
    await Promise.all(Object.values(workers).map((worker) => worker.stop()));
    await server.stop();
  }
  return samples;
}

function ratioTable(title, note, samples, rows) {
  return {
    title,
    note,
    columns: ['speed', 'middle half', 'CPU'],
    rows: rows.map(({ label, baseline, target }) => {
      const speed = compare(samples, label, baseline, 'wallMs', true);
      const cpu = compare(samples, label, baseline, 'cpuMs');
      return { label, baseline, target, speed, cpu };
    }),
  };
}

function withOther(dists, labels) {
  return dists.other === undefined ? labels : [...labels, ...labels.filter(isOurs).map((label) => `${label} (other)`)];
}

const isOurs = (label) => label.startsWith('client.');

function rowsAgainst(baseline, labels, target) {
  return labels.map((label) => ({ label, baseline, ...(isOurs(label) && target !== undefined ? { target } : {}) }));
}

async function requests({ node, dists, isQuick, progress }) {
  const own = withOther(dists, ['client.request', 'client.fetch']);
  const peers = ['undici RetryAgent', 'fetch + RetryAgent', 'ky', 'got', 'axios + axios-retry'];
  const labels = ['undici.request', control('undici.request'), 'fetch', control('fetch'), ...own, ...peers];
  const samples = await runInSets({
    node,
    dists,
    labels,
    sets: isQuick ? 1 : 3,
    rounds: isQuick ? 5 : 15,
    order: {
      round: 'requests',
      warmRounds: isQuick ? 2 : 3,
      of: (origin) => ({ url: `${origin}/small`, count: isQuick ? 1000 : 3000, concurrency: 16 }),
    },
    progress,
  });
  const ofRequest = own.filter((label) => label.startsWith('client.request'));
  const ofFetch = own.filter((label) => label.startsWith('client.fetch'));
  const ahead = (label, other) =>
    peers.filter((peer) => peer !== other).map((baseline) => ({ label, baseline, target: 1 }));
  return [
    ratioTable('Small requests against undici.request', 'GET of 1 KiB, 16 at once, bodies read whole', samples, [
      ...rowsAgainst('undici.request', [control('undici.request'), ...ofRequest], 0.95),
      ...rowsAgainst('undici.request', ['undici RetryAgent', 'got', 'axios + axios-retry']),
    ]),
    ratioTable('Small requests against fetch', 'the same, the same global fetch with an equal Agent', samples, [
      ...rowsAgainst('fetch', [control('fetch'), ...ofFetch], 0.95),
      ...rowsAgainst('fetch', ['fetch + RetryAgent', 'ky']),
    ]),
    ratioTable('reknit against each peer', 'the same run: above 1.00 reknit is ahead', samples, [
      ...ahead('client.request', 'fetch + RetryAgent'),
      // On another API than theirs the healing would not be what is compared.
      ...ahead('client.fetch', 'undici RetryAgent'),
    ]),
  ];
}

async function body({ node, dists, isQuick, progress }) {
  const bytes = (isQuick ? 128 : 512) * 1024 * 1024;
  const kinds = { strong: 'strong ETag', none: 'no validator' };
  const requestLabels = Object.values(kinds).flatMap((kind) => withOther(dists, [`client.request (${kind})`]));
  const fetchLabels = Object.values(kinds).map((kind) => `client.fetch (${kind})`);
  const labels = [
    'undici.request',
    control('undici.request'),
    ...requestLabels,
    'fetch',
    control('fetch'),
    ...fetchLabels,
  ];
  const kindOf = (label) => (label.includes(kinds.none) ? 'none' : 'strong');
  const samples = await runInSets({
    node,
    dists,
    labels,
    sets: isQuick ? 1 : 3,
    rounds: isQuick ? 3 : 7,
    order: {
      round: 'body',
      warmRounds: 1,
      of: (origin, label) => ({ url: `${origin}/big/${kindOf(label)}/${bytes}`, bytes }),
    },
    progress,
  });
  const target = (label) => (label.includes(kinds.strong) ? { target: 0.95 } : {});
  const rows = (baseline, own) => [
    { label: control(baseline), baseline },
    ...own.map((label) => ({ label, baseline, ...target(label) })),
  ];
  return [
    ratioTable(`One body of ${bytes / 1024 / 1024} MiB`, 'read as it comes, nothing done with it', samples, [
      ...rows('undici.request', requestLabels),
      ...rows('fetch', fetchLabels),
    ]),
  ];
}

async function memory({ node, dists, isQuick, progress }) {
  const count = isQuick ? 200 : 1000;
  const labels = [
    'undici.request',
    control('undici.request'),
    'client.request (strong ETag)',
    'client.request (no validator)',
    'fetch',
    control('fetch'),
    'client.fetch (strong ETag)',
    'client.fetch (no validator)',
  ];
  const runOne = async (label) => {
    const server = await startServer(node);
    const worker = await startWorker(node, { contender: contenderOf(label), dist: dists.own, limit: count });
    const kind = label.includes('no validator') ? 'none' : 'strong';
    const found = await worker.run('memory', {
      warmUrl: `${server.origin}/small`,
      url: `${server.origin}/held/${kind}`,
      count,
    });
    await worker.stop();
    await server.stop();
    return found;
  };
  const samples = await interleave(labels, isQuick ? 1 : 7, runOne, progress);
  const kibOf = (label, field) => median(samples[label].map((sample) => sample[field])) / 1024;
  const row = (label) => {
    const baseline = label.includes('fetch') ? 'fetch' : 'undici.request';
    const over = ['heapUsed', 'arrayBuffers', 'rss'].map((field) => kibOf(label, field) - kibOf(baseline, field));
    return {
      label,
      baseline,
      kib: over,
      baselineKib: ['heapUsed', 'arrayBuffers', 'rss'].map((f) => kibOf(baseline, f)),
    };
  };
  return [
    {
      title: `Memory of ${count.toLocaleString('en')} bodies in flight`,
      note: 'KiB per body more than the baseline, 16 KiB received of each, connection and all',
      columns: ['heap', 'buffers', 'RSS'],
      rows: labels.filter((label) => label !== 'undici.request' && label !== 'fetch').map(row),
    },
  ];
}

async function imports({ node, dists, isQuick, progress }) {
  const undici = import.meta.resolve('undici');
  const specifiers = {
    undici,
    [control('undici')]: undici,
    reknit: new URL('http/index.js', dists.own).href,
    'reknit/core': new URL('core/index.js', dists.own).href,
    'nothing at all': undefined,
  };
  const labels = Object.keys(specifiers);
  const runOne = (label) => importOnce(node, specifiers[label]);
  await interleave(labels, 1, runOne);
  const samples = await interleave(labels, isQuick ? 7 : 41, runOne, progress);
  const rows = labels.slice(1).map((label) => ({
    label,
    baseline: 'undici',
    speed: compare(samples, label, 'undici', 'wallMs'),
    cpu: compare(samples, label, 'undici', 'cpuMs'),
  }));
  return [
    {
      title: 'Import time',
      note: 'of `import undici` in a fresh process; below 1.00 is faster',
      columns: ['time', 'middle half', 'CPU'],
      rows,
    },
  ];
}

export const suites = {
  requests,
  body,
  memory,
  imports,
  downloads,
  lab,
  mirror,
  gateway,
  run: runOverhead,
  ...downloadParts,
};

/** What is measured where nobody says `--only`. */
export const usualSuites = Object.keys(suites).filter((name) => !(name in downloadParts));
