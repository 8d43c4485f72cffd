/** Lines at the bottom of a terminal that are written again and again; what is printed goes above them. */
import { widthOf } from './bars.ts';

export interface Terminal {
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
}

export class LineBlock {
  readonly #out: Terminal;
  #drawn: readonly string[] = [];

  constructor(out: Terminal) {
    this.#out = out;
  }

  get size(): { readonly columns: number; readonly rows: number } {
    return { columns: this.#out.columns || 80, rows: this.#out.rows || 24 };
  }

  draw(lines: readonly string[]): void {
    this.#out.write(`${this.#toTop()}${lines.join('\n')}`);
    this.#drawn = lines;
  }

  /** A lasting line above the block. */
  print(text: string): void {
    const lines = this.#drawn;
    this.#out.write(`${this.#toTop()}${text}\n${lines.join('\n')}`);
  }

  clear(): void {
    this.#out.write(this.#toTop());
    this.#drawn = [];
  }

  /** To the first row of what is there, and everything from there on away. A narrower terminal has broken long lines. */
  #toTop(): string {
    const { columns, rows } = this.size;
    const heights = this.#drawn.map((line) => Math.max(1, Math.ceil(widthOf(withoutColours(line)) / columns)));
    const height = Math.min(
      rows,
      heights.reduce((sum, one) => sum + one, 0),
    );
    const up = height > 1 ? `\x1b[${height - 1}A` : '';
    return `\r${up}\x1b[J`;
  }
}

function withoutColours(line: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what is looked for
  return line.replace(/\x1b\[\d*m/g, '');
}
