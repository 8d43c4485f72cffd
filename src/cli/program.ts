import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { exitCodes } from './exit-code.ts';

type OnExit = (code: number) => void;

/** In the order of the help. Each is loaded when it is called, and all of them for the help that lists them. */
const commands = new Map<string, (onExit: OnExit) => Promise<Command>>([
  ['get', async (onExit) => (await import('./get-command.ts')).createGetCommand(onExit)],
  ['run', async (onExit) => (await import('./run-command.ts')).createRunCommand(onExit)],
  ['mirror', async (onExit) => (await import('./mirror-command.ts')).createMirrorCommand(onExit)],
  ['gateway', async (onExit) => (await import('./gateway-command.ts')).createGatewayCommand(onExit)],
  ['lab', async (onExit) => (await import('./lab-command.ts')).createLabCommand(onExit)],
  ['conformance', async (onExit) => (await import('./conformance-command.ts')).createConformanceCommand(onExit)],
  ['diagnose', async (onExit) => (await import('./diagnose-command.ts')).createDiagnoseCommand(onExit)],
  ['explain', async (onExit) => (await import('./explain-command.ts')).createExplainCommand(onExit)],
]);

const about = 'HTTP downloads and requests that survive broken connections over their whole life.';

const exits = `
Exit codes:
  0  done, and proven as far as it can be     4  refused by the server (4xx)
  1  failed for another reason                5  integrity: digest, size, or content changed
  2  wrong usage                              6  local: disk full, permission, target exists or is busy
  3  gave up: another run may succeed         130, 143  interrupted; progress is kept`;

/** Runs one command. @returns the exit code */
export async function runCommandLine(args: readonly string[]): Promise<number> {
  let code: number = exitCodes.done;
  const program = new Command('reknit')
    .description(about)
    .version(readVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand(false)
    // What stands behind the command of `run` is the command's.
    .enablePositionalOptions()
    .addHelpText('after', exits);
  const onExit = (exit: number) => {
    code = exit;
  };
  const called = commands.get(args[0] ?? '');
  for (const create of called === undefined ? commands.values() : [called]) {
    program.addCommand(await create(onExit));
  }
  for (const command of [program, ...program.commands]) tame(command);
  try {
    if (args.length === 0) {
      process.stderr.write(program.helpInformation());
      return exitCodes.usage;
    }
    await program.parseAsync([...args], { from: 'user' });
    return code;
  } catch (error) {
    return explain(error);
  }
}

/** Commander throws instead of leaving the process, and leaves the words to us. */
function tame(command: Command): void {
  command.exitOverride().configureOutput({ outputError: () => {} });
}

function explain(error: unknown): number {
  if (!(error instanceof CommanderError)) throw error;
  if (error.exitCode === 0) return exitCodes.done;
  const text = error.message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ');
  process.stderr.write(`reknit: ${text}; see reknit --help\n`);
  return exitCodes.usage;
}

function readVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { readonly version: string }).version;
}
