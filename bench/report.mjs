// Tables for a terminal, for docs/benchmarks.md, and what machine they come from.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';

const two = (value) => value.toFixed(2);

function cellsOf(row) {
  if (row.cells !== undefined) return row.cells;
  if (row.kib !== undefined) return row.kib.map((kib) => `${kib < 0 ? '' : '+'}${kib.toFixed(1)} KiB`);
  return [two(row.speed.ratio), `${two(row.speed.low)}–${two(row.speed.high)}`, two(row.cpu.ratio)];
}

function targetOf({ target, speed }) {
  if (target === undefined) return '';
  return `${speed.ratio >= target ? 'reached' : 'MISSED'} (≥ ${two(target)})`;
}

function gridOf(table) {
  const header = ['', 'against', ...table.columns, 'target'];
  return [header, ...table.rows.map((row) => [row.label, row.baseline, ...cellsOf(row), targetOf(row)])];
}

export function asText(table) {
  const grid = gridOf(table);
  const widths = grid[0].map((_, at) => Math.max(...grid.map((line) => line[at].length)));
  const lines = grid.map((line) =>
    line
      .map((cell, at) => (at < 2 ? cell.padEnd(widths[at]) : cell.padStart(widths[at])))
      .join('  ')
      .trimEnd(),
  );
  return `\n${table.title}: ${table.note}\n\n${lines.map((line) => `  ${line}`).join('\n')}\n`;
}

function asMarkdown(table) {
  const [header, ...lines] = gridOf(table);
  const line = (cells) => `| ${cells.join(' | ')} |`;
  const rule = line(header.map((_, at) => (at < 2 ? '---' : '---:')));
  return `#### ${table.title}\n\n${table.note[0].toUpperCase()}${table.note.slice(1)}.\n\n${[line(header), rule, ...lines.map(line)].join('\n')}\n`;
}

export function describeMachine() {
  const memoryGib = Math.round(totalmem() / 1024 ** 3);
  return `${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} cores, ${memoryGib} GiB, ${process.platform} ${process.arch}`;
}

export function describeCommit(root) {
  const git = (...args) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
  try {
    const isChanged = git('status', '--porcelain', '--', 'src', 'bench', 'package-lock.json') !== '';
    return `${git('rev-parse', '--short', 'HEAD')}${isChanged ? ' with later changes' : ''}`;
  } catch {
    return 'unknown';
  }
}

const begin = '<!-- measured: written by `npm run bench -- --write` -->';
const end = '<!-- measured: end -->';

/** Replaces the tables that were measured, each under its own Node.js, and leaves the others and what people have written. */
export function writePage(file, runs, facts) {
  const page = readFileSync(file, 'utf8');
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${file} has lost the marks between which the tables go`);
  const [about, ...old] = page.slice(from + begin.length, to).split(/^(?=### )/m);
  const versions = new Map(old.map((part) => [majorOf(part), part]));
  for (const { version, tables } of runs) {
    const [, ...sections] = (versions.get(majorOf(`### Node ${version}`)) ?? '').split(/^(?=#### )/m);
    const byTitle = new Map(sections.map((section) => [section.slice(0, section.indexOf('\n')), section]));
    for (const table of tables) byTitle.set(`#### ${table.title}`, `${asMarkdown(dated(table, facts))}\n`);
    versions.set(majorOf(`### Node ${version}`), `### Node ${version}\n\n${[...byTitle.values()].join('')}`);
  }
  const measured = `${begin}${about}${[...versions.values()].join('')}`.trimEnd();
  writeFileSync(file, `${page.slice(0, from)}${measured}\n\n${page.slice(to)}`);
}

const majorOf = (part) => /^### Node (\d+)/.exec(part)?.[1];

const dated = (table, { date, commit }) => ({ ...table, note: `${table.note}; measured on ${date}, commit ${commit}` });
