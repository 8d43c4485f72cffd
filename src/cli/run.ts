import { ConfigError } from '../core/index.ts';
import { run } from '../run/index.ts';
import { exitCodes } from './exit-code.ts';
import type { RunFlags } from './run-flags.ts';
import { createJsonRunReporter, createTextRunReporter, type RunReporter } from './run-reporter.ts';
import { resolveRun } from './run-settings.ts';

/** `reknit run`. @returns the command's own exit code */
export async function runCommand(words: readonly string[], flags: RunFlags): Promise<number> {
  hearClosedPipes();
  const [command = '', ...args] = words;
  try {
    const options = resolveRun(flags, process.env);
    const { exitCode } = await run(command, args, { ...options, onEvent: createReporter(words, flags) });
    return exitCode;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`reknit: ${error.message}; see reknit run --help\n`);
    return exitCodes.usage;
  }
}

function createReporter(words: readonly string[], { json, quiet, verbose }: RunFlags): RunReporter {
  if (json) return createJsonRunReporter(process.stderr, words);
  return createTextRunReporter(process.stderr, quiet ? 'quiet' : verbose ? 'verbose' : 'normal', words);
}

/** Who reads our output has gone: the command hears of it by its own next write, and ends as it would without us. */
function hearClosedPipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.removeAllListeners('error');
    stream.on('error', () => {});
  }
}
