/** Draws what runs, ten times a second, at the bottom of a terminal. */
import { systemRuntime, type Timer } from '../runtime/index.ts';
import { type FileBar, type Paint, renderBars, type WholeBar } from './bars.ts';
import { LineBlock, type Terminal } from './line-block.ts';

const REDRAW_MS = 100;

export type Sight = () => { readonly files: readonly FileBar[]; readonly whole: WholeBar };

export class BatchScreen {
  readonly #block: LineBlock;
  readonly #paint: Paint;
  #timer: Timer | undefined;

  constructor(out: Terminal, paint: Paint) {
    this.#block = new LineBlock(out);
    this.#paint = paint;
  }

  start(look: Sight): void {
    const { files, whole } = look();
    this.#block.draw(renderBars(files, whole, this.#block.size, this.#paint));
    this.#timer = systemRuntime.clock.after(REDRAW_MS, () => this.start(look), 'idle');
  }

  print(text: string): void {
    this.#block.print(text);
  }

  stop(): void {
    if (this.#timer === undefined) return;
    this.#timer.cancel();
    this.#timer = undefined;
    this.#block.clear();
  }
}
