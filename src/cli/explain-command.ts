import { Command } from 'commander';
import type { ExplainFlags } from './explain.ts';

const examples = `
Reads the text that is given, or standard input: one line, a stack, a whole log of any length. Nothing is sent anywhere.

Examples:
  reknit explain 'curl: (56) Recv failure: Connection reset by peer'
  pip install numpy 2>&1 | reknit explain
  reknit explain < build.log
  reknit explain --json < build.log

Exit codes:
  0  explained     1  unknown, nothing is guessed     2  wrong usage, or nothing to read`;

export function createExplainCommand(onExit: (code: number) => void): Command {
  return new Command('explain')
    .description('Say what an error text or a log means, whether a repeat is safe, and what to try next.')
    .argument('[TEXT...]', 'the text (default: standard input)')
    .option('--json', 'write one event as JSON, in a stable schema')
    .addHelpText('after', examples)
    .action(async (words: readonly string[], flags: ExplainFlags) => {
      const { explainText } = await import('./explain.ts');
      onExit(await explainText(words, flags));
    });
}
