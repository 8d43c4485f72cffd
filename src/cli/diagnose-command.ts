import { Command, Option } from 'commander';
import type { DiagnoseFlags } from './diagnose-flags.ts';

const examples = `
Makes experiments that change one thing at a time (the connection, the number at once, the pace, a header, the protocol,
the way, the client), and each time the one that tells most about the causes still open. It stops when it knows enough.
A method that changes something (POST, PUT, …) is not sent without --allow-writes. Credentials are never shown.

Examples:
  reknit diagnose https://example.com/big.iso
  reknit diagnose https://example.com/big.iso --html report.html
  reknit diagnose https://api.example.com/v1/items -H 'Authorization: Bearer …' --json
  reknit diagnose https://api.example.com/v1/items -X POST --data '{"a": 1}' --allow-writes
  reknit diagnose https://example.com/ --proxy http://proxy.example.com:3128

Exit codes:
  0  a verdict, “nothing was wrong” included     1  not settled     2  wrong usage     6  the page could not be written
  130, 143  interrupted`;

const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

export function createDiagnoseCommand(onExit: (code: number) => void): Command {
  return new Command('diagnose')
    .description('Find out by experiments why a URL keeps failing, and say what helps.')
    .argument('<URL>', 'what keeps failing')
    .option('-X, --request <METHOD>', 'the method (default: GET, or POST with --data)')
    .addOption(new Option('-H, --header <NAME: VALUE>', 'send this header; may be repeated').argParser(collect))
    .option('-u, --user <USER:PASSWORD>', 'login, sent to the origin of the URL only')
    .option('--data <TEXT>', 'the body of the request; @FILE reads it from a file')
    .option('--proxy <URL>', 'a proxy, or none (default: HTTP_PROXY, HTTPS_PROXY, NO_PROXY)')
    .option('--cacert <FILE>', 'trust the certificate authorities in this file (PEM)')
    .option('--cert <FILE>', 'our certificate (PEM)')
    .option('--key <FILE>', 'its key (PEM)')
    .option('--max-requests <N>', 'requests at most (default: 60)')
    .option('--max-bytes <SIZE>', 'bytes of bodies at most (default: 128MiB)')
    .option('--max-time <DURATION>', 'time at most (default: 60s)')
    .option('--allow-writes', 'send a method that changes something, many times')
    .option('--whole', 'read the body to its end, within the limits (default: 3 s and 16 MiB of it)')
    .option('--no-other-clients', 'do not compare with curl and Node’s fetch')
    .addOption(
      new Option(
        '--resolver <ADDRESS>',
        'ask this name server, too (default: the system’s); may be repeated',
      ).argParser(collect),
    )
    .option('--json', 'write one event per line to stdout, in a stable schema')
    .option('--html <FILE>', 'also write a page with the evidence and a timeline of every connection')
    .option('--quiet', 'no progress')
    .option('--verbose', 'one line per request')
    .addHelpText('after', examples)
    .action(async (url: string, flags: DiagnoseFlags) => {
      const { diagnoseUrl } = await import('./diagnose.ts');
      onExit(await diagnoseUrl(url, flags));
    });
}
