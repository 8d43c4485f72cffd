/** A diagnosis while it runs: one line per finding on stderr, or one event per line on stdout. */
import { formatDuration } from '../core/index.ts';
import { type DiagnoseEvent, describeStep } from '../diagnose/index.ts';
import { systemRuntime, type Timer } from '../runtime/index.ts';
import { fitTo } from './bars.ts';
import type { DiagnoseFlags } from './diagnose-flags.ts';
import { isLiveTerminal } from './levels.ts';
import { LineBlock } from './line-block.ts';

export interface DiagnoseReporter {
  readonly onEvent: (event: DiagnoseEvent) => void;
  stop(): void;
}

/** The version of the JSON events; it counts up when a field changes its meaning or goes. */
const SCHEMA = 1;

export function createDiagnoseReporter({ json, quiet, verbose }: DiagnoseFlags): DiagnoseReporter {
  if (json) return { onEvent: writeJson, stop: () => {} };
  if (quiet) return { onEvent: () => {}, stop: () => {} };
  return new TextReporter(verbose === true, isLiveTerminal('normal'));
}

function writeJson(event: DiagnoseEvent): void {
  const { type, ...fields } = event;
  const own = type === 'diagnosis' ? (fields as { diagnosis: object }).diagnosis : fields;
  process.stdout.write(`${JSON.stringify({ event: type, schema: SCHEMA, ...own })}\n`);
}

const REDRAW_MS = 200;

class TextReporter implements DiagnoseReporter {
  readonly #isVerbose: boolean;
  readonly #block: LineBlock | undefined;
  #running: { readonly text: string; readonly startedMs: number } | undefined;
  #timer: Timer | undefined;

  constructor(isVerbose: boolean, isLive: boolean) {
    this.#isVerbose = isVerbose;
    this.#block = isLive ? new LineBlock(process.stderr) : undefined;
  }

  readonly onEvent = (event: DiagnoseEvent): void => {
    switch (event.type) {
      case 'experiment':
        this.#begin(`${event.experiment}: ${event.asks} (${event.requestCount} requests so far)`);
        return;
      case 'request':
        if (this.#isVerbose) this.#print(`  request ${event.n}, ${event.label}: ${event.met}`);
        return;
      case 'finding':
        this.#print(`reknit: ${describeStep(event)}`);
        return;
      case 'diagnosis':
        this.stop();
    }
  };

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#running = undefined;
    this.#block?.clear();
  }

  #begin(text: string): void {
    if (this.#block === undefined) return;
    this.#running = { text, startedMs: systemRuntime.clock.nowMs() };
    if (this.#timer === undefined) this.#draw();
  }

  #draw(): void {
    if (this.#block === undefined || this.#running === undefined) return;
    const { text, startedMs } = this.#running;
    const line = `${formatDuration(systemRuntime.clock.nowMs() - startedMs)}  ${text}`;
    this.#block.draw([fitTo(line, Math.max(20, this.#block.size.columns - 1))]);
    this.#timer = systemRuntime.clock.after(REDRAW_MS, () => this.#draw(), 'idle');
  }

  #print(text: string): void {
    if (this.#block === undefined) process.stderr.write(`${text}\n`);
    else this.#block.print(text);
  }
}
