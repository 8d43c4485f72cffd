import { Command, Option } from 'commander';
import type { ConformanceFlags } from './conformance-flags.ts';

const examples = `
The command is run once per scenario, against a server of its own on loopback. In its arguments are replaced:
  {url}     what to download           {cacert}  a PEM file to trust, for the scenarios over TLS
  {file}    where to put it            {sha256}  the digest (hex) of the newest version
  {folder}, {name}  the two parts of {file}. Without {file} the body is taken from stdout.

Verdicts:
  healed         exit code 0, and the file is right byte for byte
  failed safely  another exit code; what was left under the name is not judged
  HUNG           still running at the time limit
  CORRUPT        exit code 0, and the file is wrong

Examples:
  reknit conformance -- curl -fsS --retry 5 --retry-all-errors -o {file} {url}
  reknit conformance --only resume,change,stall -- python3 my-client.py {url} {file}
  reknit conformance --preset curl,wget,reknit-get --html scorecard.html
  reknit conformance --list

Exit codes: 0 all right or safe, 5 something hung or corrupt (or accepted what must be refused), 2 wrong usage,
or a client that fails where nothing is wrong.`;

const collect = (value: string, before: readonly string[] = []): readonly string[] => [
  ...before,
  ...value.split(',').map((name) => name.trim()),
];

export function createConformanceCommand(onExit: (code: number) => void): Command {
  const command = new Command('conformance')
    .description('Run any client through every kind of broken connection, and print a scorecard.')
    .argument('[COMMAND...]', 'behind --: the client, with {url} and {file}')
    .addOption(
      new Option('--preset <NAMES>', 'clients that are known by name, or all; may be repeated').argParser(collect),
    )
    .addOption(new Option('--only <NAMES>', 'only these scenarios or families').argParser(collect))
    .addOption(new Option('--except <NAMES>', 'without these scenarios or families').argParser(collect))
    .option('--scenarios <FILE>', 'scenarios of your own (YAML or JSON) instead of the catalogue')
    .option('--seed <N>', 'of the bytes and of places drawn at random (default: 1)')
    .option('--jobs <N>', 'scenarios at the same time (default: twice the processors)')
    .option('--timeout <DURATION>', 'the time limit of each scenario (default: 60s)')
    .option('--size <SIZE>', 'bytes of every file; places in it grow along (default: 8MiB, or what the scenario says)')
    .option('--html <FILE>', 'also write a page with all results')
    .option('--list', 'list scenarios and presets, and do nothing')
    .option('--json', 'one event per line to stdout instead of the table')
    .option('--quiet', 'no progress')
    .option('--verbose', 'with what each client said last');
  return command.addHelpText('after', examples).action(async (args: readonly string[], flags: ConformanceFlags) => {
    const { conformance } = await import('./conformance.ts');
    onExit(await conformance(args, flags));
  });
}
