import { Command, Option } from 'commander';
import type { RunFlags } from './run-flags.ts';

const examples = `
A failure is transient where the tool's exit code and last output say so: git, pip, uv, npm, pnpm, yarn, curl, wget, apt,
docker, cargo, go, maven, gradle, rsync, ssh, helm, terraform, and scripts in Python and Node.js. What is not known is not
repeated, nor a refusal (404, 401, a certificate), nor trouble of this machine, nor what changes something elsewhere and
may have done so (git push, curl -d, npm publish). Output passes through as it comes, and a terminal stays one.

--max-attempts, --retry-delay, --max-delay and --deadline have REKNIT_… variables of the same name; the flag comes first.

Examples:
  reknit run -- git clone https://github.com/nodejs/node.git
  reknit run --deadline 10m -- pip install -r requirements.txt
  reknit run --max-attempts 5 --retry-delay 2s -- npm ci
  reknit run --retry-on-exit 75 --retry-on-output 'try again later' -- ./deploy.sh
  reknit run -- python fetch.py
  reknit run --via pypi -- pip install -r requirements.txt
  reknit run --via npm=https://registry.npmjs.org --via git=https://github.com -- npm ci
  reknit run --via DATA_URL=https://data.example.com -- sh -c 'curl -fO "$DATA_URL/big.bin"'

--via has these names: pypi, npm, git, cargo, go, huggingface, openai, anthropic; a name in capitals is a variable that gets
the mirror's address. No file is touched: the tools are told by variables (PIP_INDEX_URL, npm_config_registry, …), and what
the command names itself, or you have set to another place, stays as it is, which is said.

Exit codes: the command's own; 128 + n where signal n ended it; 127 no such command, 126 it may not be run, 2 wrong usage.`;

const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

export function createRunCommand(onExit: (code: number) => void): Command {
  return new Command('run')
    .description('Run a command, and run it again when its failure was transient and a repeat does no harm.')
    .argument('<COMMAND...>', 'behind --: the command and its arguments')
    .option('--max-attempts <N>', 'attempts, the first included (default: 10)')
    .option('--retry-delay <DURATION>', 'base of the growing, jittered wait between attempts (default: 500ms)')
    .option('--max-delay <DURATION>', 'longest wait between attempts (default: 20s)')
    .option('--deadline <DURATION>', 'bound of all attempts and waits; the processes are ended then')
    .addOption(
      new Option('--retry-on-exit <CODES>', 'also repeat after these exit codes: 75 or 1,75').argParser(collect),
    )
    .addOption(new Option('--retry-on-output <TEXT>', 'also repeat where the last output has this').argParser(collect))
    .addOption(
      new Option(
        '--via <NAME[=URL]>',
        'put a healing mirror in front of this registry or origin while the command runs; again for others',
      ).argParser(collect),
    )
    .option('--repeatable', 'a repeat does no harm, although the command changes something elsewhere')
    .option('--no-stdin', 'give the command an empty standard input, so that it can be repeated whatever it reads')
    .option('--json', 'one event per line to stderr instead of messages')
    .option('--quiet', 'say nothing')
    .option('--verbose', 'with what the failure means, and the line that shows it')
    .passThroughOptions()
    .addHelpText('after', examples)
    .action(async (words: readonly string[], flags: RunFlags) => {
      if (flags.via !== undefined) (await import('./lean-engine.ts')).keepParserPlain();
      const { runCommand } = await import('./run.ts');
      onExit(await runCommand(words, flags));
    });
}
