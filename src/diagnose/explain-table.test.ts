/** The texts of tools and the failure table of core cannot drift apart. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { renderExplain } from '../../scripts/render-explain.mjs';
import { classify, defaultTransientStatuses, failureTable, rowOf, statusVerdict } from '../core/index.ts';
import { adviceOf } from './advice.ts';
import { explain } from './explain.ts';
import { explainTable, isCodeRow } from './explain-table.ts';
import { compilePattern } from './pattern-matcher.ts';
import { coreRowOf, verdictOf } from './verdict.ts';

const coreCodes = new Set(failureTable.flatMap(({ match }) => match.codes ?? []));

describe.each(explainTable.map((row) => [row.id, row] as const))('the row %s', (_id, row) => {
  it('is joined to a failure that core knows, in a phase that it can happen in', () => {
    const { join, phase } = row;
    if (join.kind !== 'row' && join.kind !== 'code') return;
    const core = coreRowOf(join.row);
    if (phase !== undefined && core.failure.phase !== undefined) expect(phase).toBe(core.failure.phase);
    if (phase !== undefined && core.match.phases !== undefined) expect(core.match.phases).toContain(phase);
  });

  it('says of a repeat what core says, and nothing of its own', () => {
    const { join } = row;
    const verdict = verdictOf(row, row.statuses?.[0], row.phase);
    if (join.kind === 'row' || join.kind === 'code') {
      const { transient, kind, origin } = coreRowOf(verdict!.coreRow!).failure;
      expect(verdict).toMatchObject({ transient, kind, origin });
    }
    if (join.kind === 'status') {
      for (const status of join.status === undefined ? (row.statuses ?? []) : [join.status]) {
        const facts = { transientStatuses: defaultTransientStatuses, pushbackMs: undefined };
        const { transient, mayHaveRun } = statusVerdict(status, facts)!;
        expect(verdictOf(row, status, row.phase), String(status)).toMatchObject({ transient, mayHaveRun });
      }
    }
    if (verdict !== undefined) expect(adviceOf[verdict.kind].why).not.toBe('');
  });

  it('has an errno that core reads as the row that it names', () => {
    if (row.join.kind !== 'code') return;
    expect(rowOf({ code: row.join.code, message: '' }, row.phase ?? 'wait')?.id).toBe(row.join.row);
  });

  it('agrees with core about every code that both know', () => {
    // A derived row asks core about each text anew; Bun’s codes (`ConnectionReset`) are Rust’s words, too.
    if (isCodeRow(row)) return;
    for (const text of row.patterns) {
      const code = text.replace(/^=/, '');
      if (!coreCodes.has(code) || !/_|^E[A-Z]/.test(code)) continue;
      const { kind, transient } = rowOf({ code, message: '' }, row.phase ?? 'wait')!.failure;
      expect(verdictOf(row, row.statuses?.[0], row.phase), code).toMatchObject({ kind, transient });
    }
  });

  it('has plain texts, none of them so short that it would be found everywhere', () => {
    for (const text of row.patterns) {
      const { segments } = compilePattern(row, text);
      expect(Math.max(...segments.map(({ literal }) => literal.trim().length)), text).toBeGreaterThanOrEqual(3);
    }
    expect(row.id).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
    expect(row.means.length).toBeGreaterThan(10);
  });
});

it('ids are unique', () => {
  const ids = explainTable.map((row) => row.id);
  expect(new Set(ids).size).toBe(ids.length);
});

/** What text alone cannot tell, or tells better. */
const notFromText: ReadonlyMap<string, string> = new Map([
  ['proxy-limits-connections', 'a 403 is throttling only where other tunnels are known to be open'],
  ['proxy-odd-answer', 'a 302 in a text is mostly no failure'],
  ['request-length-node', 'the same code as for an answer, told apart by the phase'],
  ['device-error', 'EIO and EINVAL stand in logs that have nothing to do with connections'],
  ['deno-connect', 'the errno in its text says more: refused'],
  ['deno-errno-connect', 'the errno in its text says more: refused'],
]);

const told = failureTable.filter(({ id }) => !notFromText.has(id));

describe.each(told.map((row) => [row.id, row] as const))('core’s failure %s', (_id, core) => {
  it('is explained from the text that Node.js prints of it, with the same verdict', async () => {
    const { message, code, name, syscall, phase } = core.sample;
    const lines = [
      `${name ?? 'Error'}: ${message.trim()} {`,
      ...(code === undefined ? [] : [`  code: '${code}',`]),
      ...(syscall === undefined ? [] : [`  syscall: '${syscall}'`]),
      '}',
    ];
    const explanation = await explain(lines.join('\n'));
    const error = Object.assign(new Error(message), core.sample);
    if (name !== undefined) Object.defineProperty(error, 'name', { value: name });
    const { kind, transient } = classify({
      error,
      phase: phase ?? 'wait',
      unsent: false,
      reusedSocket: false,
      answered: false,
    });
    const failure = explanation.kind === 'explained' ? explanation.causes[0]?.failure : undefined;
    expect([failure?.kind, failure?.transient]).toEqual([kind, transient]);
  });
});

it('docs/explain.md is what the rows say', () => {
  const page = readFileSync(new URL('../../docs/explain.md', import.meta.url), 'utf8');
  expect(page, 'run `npm run docs`').toBe(renderExplain(explainTable, verdictOf));
});
