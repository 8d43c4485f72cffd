import { describeExplanation, type ExplainSource, explain } from '../diagnose/index.ts';
import { exitCodes } from './exit-code.ts';

export interface ExplainFlags {
  readonly json?: true;
}

/** The version of the JSON event; it counts up when a field changes its meaning or goes. */
const SCHEMA = 1;

/** `reknit explain`. @returns the exit code */
export async function explainText(words: readonly string[], flags: ExplainFlags): Promise<number> {
  const source = sourceOf(words);
  if (source === undefined)
    return refuse('Cannot explain as there is no text: give it as an argument, or pipe a log in');
  const counted = countBytes(source);
  const explanation = await explain(counted.source);
  if (!counted.hasText()) return refuse('Cannot explain as the text is empty');
  if (flags.json)
    process.stdout.write(`${JSON.stringify({ event: explanation.kind, schema: SCHEMA, ...explanation })}\n`);
  else process.stdout.write(`${describeExplanation(explanation).join('\n')}\n`);
  return explanation.kind === 'explained' ? exitCodes.done : exitCodes.failed;
}

/** A dash is standard input, as everywhere; a terminal there would wait for ever. */
function sourceOf(words: readonly string[]): ExplainSource | undefined {
  if (words.length > 0 && !(words.length === 1 && words[0] === '-')) return words.join(' ');
  return process.stdin.isTTY ? undefined : process.stdin;
}

interface Counted {
  readonly source: ExplainSource;
  hasText(): boolean;
}

function countBytes(source: ExplainSource): Counted {
  if (typeof source === 'string') return { source, hasText: () => source.trim() !== '' };
  let length = 0;
  async function* pass(chunks: Exclude<ExplainSource, string>) {
    for await (const chunk of chunks) {
      length += chunk.length;
      yield chunk;
    }
  }
  return { source: pass(source), hasText: () => length > 0 };
}

function refuse(line: string): number {
  process.stderr.write(`reknit: ${line}; see reknit explain --help\n`);
  return exitCodes.usage;
}
