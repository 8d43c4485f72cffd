/** The recognisers, explain's table and core's failures cannot drift apart; every tool tells three kinds of trouble apart. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { renderRun } from '../../scripts/render-run.mjs';
import { runSamples } from '../../test/run/samples.ts';
import { failureTable } from '../core/index.ts';
import { explainTable } from '../diagnose/index.ts';
import { judge, verdictOfRow, verdictWord } from './judge.ts';
import type { ToolName } from './recogniser.ts';
import { recognisers } from './recognisers.ts';
import { runTools } from './run-tools.ts';
import { viaRows } from './via-rows.ts';

const toolOf = (name: string) => (name === 'any' ? undefined : (name as Exclude<ToolName, 'any'>));

describe.each(recognisers.map((row) => [row.id, row] as const))('the row %s', (id, row) => {
  it('is told by its own sample', async () => {
    const { exitCode, output } = row.sample;
    const { judgement } = await judge({ tool: toolOf(row.tool), ended: { exitCode, signal: undefined }, output });
    expect([judgement.row, judgement.verdict]).toEqual([id, verdictWord(verdictOfRow(row))]);
  });

  it('is joined to a failure that core knows, whose word it passes on', () => {
    if (row.join.kind !== 'row') return;
    const { row: coreId } = row.join;
    const core = failureTable.find((each) => each.id === coreId);
    expect(verdictOfRow(row)).toMatchObject({ kind: core?.failure.kind, transient: core?.failure.transient });
  });

  it('has a name of its own, and texts that are long enough to mean something', () => {
    expect(recognisers.filter((other) => other.id === id)).toHaveLength(1);
    expect(explainTable.map((other) => other.id)).not.toContain(id);
    if (row.says.kind === 'exit') return;
    for (const text of row.says.texts) expect(text.length, text).toBeGreaterThanOrEqual(4);
  });

  it('is of a tool that is known', () => {
    if (row.tool !== 'any') expect(runTools.map(({ name }) => name)).toContain(row.tool);
  });
});

describe.each(runTools.map(({ name }) => name))('%s', (name) => {
  it('tells transient trouble, refusals and local trouble apart in real output', async () => {
    const samples = runSamples.filter(({ by }) => by === name);
    for (const { exitCode, output, verdict } of samples) {
      const { judgement } = await judge({ tool: name, ended: { exitCode, signal: undefined }, output });
      expect(judgement.verdict, `${judgement.row}: ${output.slice(-200)}`).toBe(verdict);
    }
    // An ssh client has no trouble of its own that its words tell.
    const kinds = new Set(samples.map(({ verdict }) => verdict));
    expect([...kinds].sort()).toEqual(
      name === 'ssh' ? ['permanent', 'transient'] : ['local', 'permanent', 'transient'],
    );
  });
});

it.each(runSamples.filter(({ by }) => by === 'any').map((sample) => [sample.verdict, sample] as const))(
  'any other command is judged by the same words: %s',
  async (verdict, { exitCode, output }) => {
    const { judgement } = await judge({ tool: undefined, ended: { exitCode, signal: undefined }, output });
    expect(judgement.verdict).toBe(verdict);
  },
);

it('a command that a signal ended is not repeated, whatever it said', async () => {
  const { judgement } = await judge({
    tool: 'curl',
    ended: { exitCode: 137, signal: 'SIGKILL' },
    output: 'curl: (56) Recv failure: Connection reset by peer',
  });
  expect(judgement).toMatchObject({ verdict: 'local', what: 'ended by SIGKILL' });
});

it('the same damage twice carries the same mark; cuts carry none', async () => {
  const mark = async (output: string) =>
    (await judge({ tool: 'pip', ended: { exitCode: 1, signal: undefined }, output })).failure.mark;
  const damaged = 'ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.';
  expect(await mark(damaged)).toBeDefined();
  expect(await mark(damaged)).toBe(await mark(`Collecting a\n${damaged}`));
  expect(await mark('Connection reset by peer')).toBeUndefined();
});

it.each([
  [
    'what a tool takes for an index without the package',
    'pip',
    'ERROR: No matching distribution found for a',
    'transient',
  ],
  ['what says nothing', undefined, 'it did not work', 'transient'],
  ['a full disk', 'pip', 'OSError: [Errno 28] No space left on device', 'local'],
  ['a refusal by its status', 'npm', 'npm error code E404', 'permanent'],
] as const)(
  'where the mirror could not get something, %s is judged as it must be: %s, %s, %s',
  async (_what, tool, output, verdict) => {
    const ended = { exitCode: 1, signal: undefined };
    const { judgement } = await judge({ tool, ended, output, hasMirrorTrouble: true });
    expect(judgement.verdict).toBe(verdict);
  },
);

it('docs/run.md is what the rows say', () => {
  const page = readFileSync(new URL('../../docs/run.md', import.meta.url), 'utf8');
  expect(page, 'run `npm run docs`').toBe(renderRun(runTools, recognisers, verdictOfRow, viaRows));
});
