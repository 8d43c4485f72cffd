// `--only gateway`: reknit's gateway beside a bare Node proxy, nginx, haproxy and Portkey's, in one run.
import { readFileSync } from 'node:fs';
import { interleave, median } from '../rounds.mjs';
import { forked, pinning, proxies } from './contenders.mjs';

const baseline = 'bare Node proxy';
const ours = 'reknit gateway';
const widths = [1, 16, 64];

const chatBody = (more) =>
  JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'Say something.' }], ...more });

function requestOf(kind, headers) {
  const common = `Host: bench\r\nAuthorization: Bearer k\r\nAccept: */*\r\n${headers}`;
  if (kind === 'get') return `GET /small HTTP/1.1\r\n${common}\r\n`;
  const body = chatBody(kind === 'chat' ? {} : { stream: true, ...(kind === 'idle' && { idle: true }) });
  return `POST /v1/chat/completions HTTP/1.1\r\n${common}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

/** One proxy in front of an upstream of its own, and its clients. */
async function open(label, { node, dist, execArgv }) {
  const upstream = await forked('upstream.mjs', [], 1, node);
  const proxy =
    label === 'nothing between'
      ? { port: upstream.port, stop: () => {} }
      : await proxies[label].start(upstream.port, { node, dist, execArgv });
  const load = await forked('load.mjs', [], 1, node);
  const headers = proxies[label]?.headers?.(upstream.port) ?? '';
  return {
    pid: proxy.pid,
    ask: (kind, settings) =>
      new Promise((resolve, reject) => {
        const onExit = (code) => reject(new Error(`${label}: its clients ended with ${code}`));
        load.child.once('exit', onExit);
        load.child.once('message', ({ result, error }) => {
          load.child.off('exit', onExit);
          if (error === undefined) resolve(result);
          else reject(new Error(`${label}: ${error}`));
        });
        load.child.send({ port: proxy.port, request: requestOf(kind, headers), ...settings });
      }),
    stop: async () => {
      await load.stop();
      await proxy.stop();
      await upstream.stop();
    },
  };
}

function usable(kind) {
  const known = Object.entries(proxies).filter(
    ([, { missing, only }]) => missing === undefined && (only?.includes(kind) ?? true),
  );
  return ['nothing between', ...known.map(([label]) => label)];
}

async function measure(kind, titleAndNote, { node, dists, isQuick, progress }) {
  const labels = usable(kind);
  const opened = {};
  for (const label of labels) opened[label] = await open(label, { node, dist: dists.own });
  const cells = Object.fromEntries(widths.map((width) => [width, undefined]));
  for (const width of widths) {
    const runOne = (label) => opened[label].ask(kind, { connections: width, durationMs: isQuick ? 300 : 1_500 });
    await interleave(labels, 1, runOne);
    cells[width] = await interleave(labels, isQuick ? 1 : 4, runOne, (done, all) => progress(done, all));
  }
  for (const label of labels) await opened[label].stop();
  const value = (label, width, field) => median(cells[width][label].map((sample) => sample[field]));
  const ratio = (label, width, other) =>
    median(cells[width][label].map((sample, index) => sample.perSecond / cells[width][other][index].perSecond));
  const shown = (label) =>
    widths.flatMap((width) => [
      Math.round(value(label, width, 'perSecond')).toLocaleString('en'),
      `${value(label, width, 'p50Ms').toFixed(2)} / ${value(label, width, 'p99Ms').toFixed(2)}`,
    ]);
  const has = (label) => labels.includes(label);
  const verdict = (number, target, isAtMost) =>
    `${isAtMost ? (number <= target ? 'reached' : 'MISSED') : number >= target ? 'reached' : 'MISSED'} (${isAtMost ? '≤' : '≥'} ${target})`;
  const against = (other, target) =>
    has(other)
      ? widths.map((width) => ({
          label: `${ours}, ${width} at once`,
          baseline: other,
          cells: [
            ratio(ours, width, other).toFixed(2),
            target === undefined ? '' : verdict(ratio(ours, width, other), target),
          ],
        }))
      : [];
  const addedMs = value(ours, 1, 'p50Ms') - value(baseline, 1, 'p50Ms');
  return [
    {
      title: titleAndNote[0],
      note: `${titleAndNote[1]}; ${pinning}; medians of rounds, p50 / p99 in ms`,
      columns: widths.flatMap((width) => [`${width} at once: /s`, 'p50 / p99']),
      rows: labels.map((label) => ({ label, baseline: '', cells: shown(label) })),
    },
    {
      title: `${titleAndNote[0]}: ratios`,
      note: 'requests per second, of each round before the median; the last row is the added p50 in ms at one connection',
      columns: ['ratio', 'wanted'],
      rows: [
        ...against(baseline, 0.8),
        ...against('nginx', 0.35),
        ...against('haproxy'),
        ...against('Portkey', 8),
        { label: ours, baseline, cells: [`+${addedMs.toFixed(3)} ms`, verdict(addedMs, 0.2, true)] },
      ],
    },
  ];
}

async function firstBytes({ node, dists, isQuick, progress }) {
  const labels = usable('stream');
  const opened = {};
  for (const label of labels) opened[label] = await open(label, { node, dist: dists.own });
  const runOne = (label) => opened[label].ask('stream', { connections: 1, count: isQuick ? 20 : 60, pauseMs: 2 });
  await interleave(labels, 1, runOne);
  const samples = await interleave(labels, isQuick ? 1 : 4, runOne, progress);
  for (const label of labels) await opened[label].stop();
  const of = (label, field) => `${median(samples[label].map((sample) => sample[field])).toFixed(2)} ms`;
  return {
    title: 'First byte of a stream',
    note: 'one stream after the other, 60 a round: until the first event has come, which is the first output of the model here',
    columns: ['p50', 'p99'],
    rows: labels.map((label) => ({ label, baseline: '', cells: [of(label, 'firstP50Ms'), of(label, 'firstP99Ms')] })),
  };
}

const rssMib = (pid) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;

async function memory({ node, dists, isQuick }) {
  const total = isQuick ? 20_000 : 300_000;
  const parts = 6;
  const gateway = await open(ours, { node, dist: dists.own });
  const levels = [];
  for (let part = 0; part < parts; part += 1) {
    await gateway.ask('chat', { connections: 16, count: total / parts });
    levels.push(rssMib(gateway.pid));
  }
  await gateway.stop();
  const rows = [{ label: ours, baseline: '', cells: levels.map((mib) => `${mib.toFixed(0)} MiB`) }];
  const streams = isQuick ? 100 : 1_000;
  const idle = [];
  for (const label of [baseline, ours]) {
    const one = await open(label, { node, dist: dists.own });
    await one.ask('chat', { connections: 64, count: isQuick ? 2_000 : 20_000 });
    const before = rssMib(one.pid);
    // Below `maxPerUpstream`, so that each has a connection of its own.
    await one.ask('idle', { order: 'hold', count: Math.min(streams, 250) });
    const kib = ((rssMib(one.pid) - before) * 1024) / Math.min(streams, 250);
    idle.push({ label, baseline: '', cells: [`${kib.toFixed(1)} KiB`] });
    await one.stop();
  }
  return [
    {
      title: `Resident memory over ${total.toLocaleString('en')} requests`,
      note: `after each sixth of them, 16 at once`,
      columns: levels.map((_, index) => `${Math.round((total / parts) * (index + 1)).toLocaleString('en')}`),
      rows,
    },
    {
      title: 'Memory of an idle stream',
      note: 'resident memory more, for each of 250 streams that have begun and say nothing, connections and all',
      columns: ['each'],
      rows: idle,
    },
  ];
}

export async function gateway(settings) {
  return [
    ...(await measure(
      'chat',
      ['Chat completions through a gateway', 'POST of 80 bytes of JSON, 1 KiB of JSON back'],
      settings,
    )),
    ...(await measure('get', ['Plain GET through a gateway', '1 KiB back'], settings)),
    await firstBytes(settings),
    ...(process.platform === 'linux' ? await memory(settings) : []),
  ];
}
