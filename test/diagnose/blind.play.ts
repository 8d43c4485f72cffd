/** Plays scenarios of the lab's catalogue for the built command, for `npm run diagnose-blind`. Not part of `npm test`. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'vitest';
import type { Diagnosis } from '../../src/diagnose/index.ts';
import { type CatalogueEntry, catalogue, type Scenario, scenarioNamed, startLab } from '../../src/lab/index.ts';
import { drawn } from './drawn.ts';
import { halvesOf, shuffled } from './halves.ts';
import { type Blind, judgeBlind } from './judge-blind.ts';
import { type Truth, truthOf } from './truths.ts';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const {
  REKNIT_BLIND_FILE = 'blind.json',
  REKNIT_BLIND_HALF = 'mended',
  REKNIT_BLIND_SEED = '1',
  REKNIT_BLIND_HALVES = '1',
  REKNIT_BLIND_ONLY = '',
  REKNIT_BLIND_DRAW = '',
  REKNIT_BLIND_JOBS = '3',
  /** Of the half that is held back no more is told than how many were right. */
  REKNIT_BLIND_COUNTS = '',
} = process.env;

test('the blind run', { timeout: 3_600_000 }, async () => {
  const entries = REKNIT_BLIND_HALF === 'drawn' ? drawnEntries() : catalogueEntries();
  const results: Blind[] = [];
  const folder = mkdtempSync(join(tmpdir(), 'reknit-blind-'));
  const queue = [...entries];
  const work = async () => {
    for (let entry = queue.shift(); entry !== undefined; entry = queue.shift()) {
      const diagnosis = await play(entry, folder);
      const result = judgeBlind(entry.scenario.name, entry.truth, diagnosis);
      results.push(result);
      // As it goes: whoever runs out of time keeps what was found.
      writeFileSync(REKNIT_BLIND_FILE, JSON.stringify({ results }));
      if (REKNIT_BLIND_COUNTS !== '') process.stdout.write('.');
      else tell(entry, result);
    }
  };
  try {
    await Promise.all(Array.from({ length: Number(REKNIT_BLIND_JOBS) }, work));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

interface Entry extends Pick<CatalogueEntry, 'description' | 'needs'> {
  readonly scenario: Scenario;
  readonly truth: Truth;
}

function drawnEntries(): readonly Entry[] {
  return drawn(Number(REKNIT_BLIND_SEED), Number(REKNIT_BLIND_DRAW || 45)).map(({ scenario, truth }) => ({
    scenario,
    truth,
    description: JSON.stringify({ ...scenario, requests: scenario.requests?.map((rule) => rule.do) }),
  }));
}

function catalogueEntries(): readonly Entry[] {
  return chosen().map((name) => {
    const { description, needs } = catalogue.find(({ scenario }) => scenario.name === name)!;
    return {
      scenario: scenarioNamed(name),
      truth: truthOf(name),
      description,
      ...(needs === undefined ? {} : { needs }),
    };
  });
}

function chosen(): readonly string[] {
  const { mended, heldBack } = halvesOf(Number(REKNIT_BLIND_HALVES));
  const half =
    REKNIT_BLIND_HALF === 'all' ? [...mended, ...heldBack] : REKNIT_BLIND_HALF === 'mended' ? mended : heldBack;
  const only = REKNIT_BLIND_ONLY.split(',').filter(Boolean);
  const list = only.length > 0 ? half.filter((name) => only.includes(name)) : half;
  return REKNIT_BLIND_DRAW === ''
    ? list
    : shuffled(list, Number(REKNIT_BLIND_SEED)).slice(0, Number(REKNIT_BLIND_DRAW));
}

async function play({ scenario, needs }: Entry, folder: string): Promise<Diagnosis | undefined> {
  const isSecure = needs !== undefined;
  await using lab = await startLab({ tls: isSecure, http2: needs === 'http2', seed: Number(REKNIT_BLIND_SEED) });
  const authority = join(folder, `${scenario.name}.pem`);
  if (isSecure) writeFileSync(authority, lab.ca ?? '');
  const run = lab.play(scenario, { port: 'own' });
  await run.ready;
  const proxy = needs === 'proxy' ? run.proxy!.url : 'none';
  const args = [main, 'diagnose', run.url, '--json', '--proxy', proxy, ...(isSecure ? ['--cacert', authority] : [])];
  return await new Promise((resolve) => {
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    child.on('close', () => {
      const last = text.trimEnd().split('\n').at(-1) ?? '';
      resolve(last.startsWith('{"event":"diagnosis"') ? (JSON.parse(last) as Diagnosis) : undefined);
    });
  });
}

function tell({ description }: Entry, result: Blind): void {
  const { scenario, verdict, causes, requestCount, tookMs, steps } = result;
  const first = causes[0] === undefined ? 'nothing' : `${causes[0].cause} ${causes[0].confidence.toFixed(2)}`;
  const mark = { right: '✓', 'right-unsettled': '~', 'wrong-unsettled': '✗', 'confident-and-wrong': '✗✗' }[verdict];
  process.stdout.write(`${mark} ${scenario}: ${first}, ${requestCount} requests, ${tookMs} ms\n`);
  if (verdict === 'right') return;
  process.stdout.write(`    ${description}\n${steps.map((step) => `    ${step}\n`).join('')}`);
}
