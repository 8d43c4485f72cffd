import { expect, test } from 'vitest';
import { colours, type FileBar, noPaint, renderBars, type WholeBar, widthOf } from './bars.ts';
import { LineBlock } from './line-block.ts';

const MiB = 1_048_576;
const file: FileBar = {
  name: 'big.iso',
  bytes: 16 * MiB,
  totalBytes: 64 * MiB,
  bytesPerSecond: 8 * MiB,
  attemptNumber: 3,
  waiting: undefined,
};
const whole: WholeBar = { files: 500, done: 120, skipped: 3, failed: 2, bytes: 48 * MiB, bytesPerSecond: 9 * MiB };
const wide = { columns: 120, rows: 24 };

test('a bar for each file and one for the whole, with bytes, rate, time left and attempt', () => {
  expect(renderBars([file], whole, wide, noPaint)).toEqual([
    'big.iso  [#####---------------]  16.0 MiB of 64.0 MiB  8.0 MiB/s  6.0 s left  attempt 3',
    '[#####---------------]  125 of 500 files, 2 failed, 3 skipped, 48.0 MiB, 9.0 MiB/s',
  ]);
});

test('what a file waits for and why stands in the place of its bar', () => {
  const waiting = { leftMs: 4_000, why: '429 from host, Retry-After 4' };
  expect(renderBars([{ ...file, waiting }], undefined, wide, noPaint)).toEqual([
    'big.iso  waiting 4.0 s: 429 from host, Retry-After 4; attempt 3',
  ]);
});

test('no line is longer than the terminal is wide, and there are never more than it is high', () => {
  const files = Array.from({ length: 40 }, (_, i) => ({ ...file, name: `${'名前'.repeat(i)}-a-rather-long-name.iso` }));
  for (const columns of [12, 20, 40, 59, 60, 61, 80, 200]) {
    for (const rows of [3, 5, 24, 100]) {
      const lines = renderBars(files, whole, { columns, rows }, noPaint);
      expect(Math.max(...lines.map(widthOf))).toBeLessThan(columns);
      expect(lines.length).toBeLessThanOrEqual(Math.max(3, rows - 1));
    }
  }
});

test('without colours nothing but text is written', () => {
  const lines = renderBars([file], whole, wide, noPaint).join('');
  expect(lines).not.toContain('\x1b');
  expect(renderBars([file], whole, wide, colours).join('')).toContain('\x1b[32m');
});

/** A terminal that breaks long lines, and breaks them anew when it is made narrower or wider. */
class FakeTerminal {
  columns: number;
  readonly rows = 24;
  /** Lines as they were written; a screen row is a part of one. */
  #lines: string[] = [''];
  #line = 0;
  #column = 0;

  constructor(columns: number) {
    this.columns = columns;
  }

  get screen(): string[] {
    return this.#lines.map((line) => line.trimEnd());
  }

  write(text: string): void {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what terminals listen to
    for (const [part, code, count] of text.matchAll(/\x1b\[(\d*)([A-Za-z])|[\s\S]/gu))
      this.#take(part, count, Number(code || 1));
  }

  #take(part: string, command: string | undefined, count: number): void {
    if (command === 'A') this.#up(count);
    else if (command === 'J') {
      this.#lines.length = this.#line + 1;
      this.#lines[this.#line] = this.#lines[this.#line]!.slice(0, this.#column);
    } else if (command === 'm') return;
    else if (part === '\r') this.#column -= this.#column % this.columns;
    else if (part === '\n') {
      this.#line += 1;
      this.#column = 0;
      this.#lines[this.#line] ??= '';
    } else {
      const line = this.#lines[this.#line]!.padEnd(this.#column);
      this.#lines[this.#line] = line.slice(0, this.#column) + part + line.slice(this.#column + 1);
      this.#column += 1;
    }
  }

  #up(count: number): void {
    for (let left = count; left > 0; left -= 1) {
      if (this.#column >= this.columns) this.#column -= this.columns;
      else if (this.#line > 0) {
        this.#line -= 1;
        const length = Math.max(1, this.#lines[this.#line]!.length);
        this.#column = Math.floor((length - 1) / this.columns) * this.columns;
      }
    }
  }
}

test('the block stays one block, whatever the width becomes, and what is printed stays above it', () => {
  const terminal = new FakeTerminal(100);
  const block = new LineBlock(terminal);
  const draw = () => block.draw(renderBars([file, { ...file, name: 'other.iso' }], whole, block.size, colours));
  draw();
  for (const columns of [100, 60, 33, 120, 45, 80]) {
    terminal.columns = columns;
    draw();
    block.print(`at ${columns}`);
    draw();
  }
  expect(terminal.screen).toEqual([
    ...['at 100', 'at 60', 'at 33', 'at 120', 'at 45', 'at 80'],
    ...renderBars([file, { ...file, name: 'other.iso' }], whole, { columns: 80, rows: 24 }, noPaint),
  ]);
  block.clear();
  expect(terminal.screen.at(-1)).toBe('');
});
