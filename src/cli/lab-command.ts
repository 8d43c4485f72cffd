import { Command } from 'commander';
import type { LabFlags } from './lab-flags.ts';
import { frontNames } from './lab-front-faults.ts';

const examples = `
Every scenario has a path of its own; a run begins with its first request, and another ?run=… begins anew:
  http://127.0.0.1:7357/s/rst/file.bin?run=1

Examples:
  reknit lab                              then open http://127.0.0.1:7357/
  reknit lab --scenarios my-faults.yaml   with scenarios of your own
  reknit lab --tls --port 8443            certificates signed by the authority at /ca.pem
  reknit lab --in-front-of 127.0.0.1:8080 --faults stall
  reknit lab --kernel drop-after=256KiB   packets of clients that run inside are dropped; it says how to run them
  reknit lab --json --port 0              one line per event: where it listens, every run, every answer

A scenario of your own:
  name: slow-then-cut
  resource: { sizeBytes: 1MiB }
  requests:
    - on: 1
      do: [{ kind: delay, delayMs: 2s }, { kind: cut, by: rst, at: body, atByte: 64KiB }]

Ctrl-C ends it.`;

export function createLabCommand(onExit: (code: number) => void): Command {
  const command = new Command('lab')
    .description('Serve every kind of broken connection on demand, and record what clients really do.')
    .option('--port <N>', 'the port of the page and of most scenarios; 0 is any free one (default: 7357)')
    .option('--host <ADDRESS>', 'the address to listen on (default: 127.0.0.1)')
    .option('--tls', 'serve https')
    .option('--seed <N>', 'of the bytes and of places drawn at random (default: 1)')
    .option('--scenarios <FILE>', 'more scenarios, as YAML or JSON; one of a known name takes its place')
    .option('--in-front-of <HOST:PORT>', 'instead: a TCP proxy in front of any server, with broken connections')
    .option('--faults <NAME|FILE>', `how they break: ${frontNames.join(', ')}, or a file of rules (default: rst)`)
    .option(
      '--kernel [FAULT]',
      'also a network namespace whose packets are disturbed on their way here (Linux, no root): reset, drop-after=SIZE, loss=RATIO, …; without FAULT: none yet',
    )
    .option('--json', 'one event per line to stdout')
    .option('--quiet', 'say nothing but errors');
  return command.addHelpText('after', examples).action(async (flags: LabFlags) => {
    const { lab } = await import('./lab.ts');
    onExit(await lab(flags));
  });
}
