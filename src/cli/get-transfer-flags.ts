/** The flags of `get-transfer-settings.ts`, apart from it: the help of every command lists them, and only `get` downloads. */
import { Option } from 'commander';

const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

export function transferFlags(): readonly Option[] {
  return [
    new Option('--mirror <URL>', 'another address of the same file; may be repeated').argParser(collect),
    new Option('--require-proof', 'fail (exit 5) where neither a digest nor a length proves the end'),
    new Option('--connections <N>', 'begin with so many for one file (default: 1, and up to 8 while they bring more)'),
    new Option('--limit-rate <RATE>', 'bytes per second, over all connections'),
    new Option(
      '--no-state',
      'remember nothing between runs, and share no limits with other processes (REKNIT_STATE_DIR)',
    ),
  ];
}
