import { Command, Option } from 'commander';
import { keepParserPlain } from './lean-engine.ts';
import type { MirrorFlags } from './mirror.ts';

const examples = `
An origin is PRESET, PRESET=URL or NAME:PRESET=URL; the same name again gives it one more upstream. Presets:
  pypi         a simple index (default: https://pypi.org/simple)      cargo        a sparse index (default: crates.io)
  npm          a registry (default: https://registry.npmjs.org)       go           a module proxy (default: proxy.golang.org)
  git          repositories over smart HTTP                           apt          a Debian repository (default: deb.debian.org)
  generic      anything over HTTP                                     huggingface  the Hub (default: https://huggingface.co)

Files are proven by the digests that indexes give; a wrong or cut one never reaches a client as a whole one.
HTTP_PROXY, HTTPS_PROXY, NO_PROXY and NODE_EXTRA_CA_CERTS are heard; REKNIT_STATE_DIR is where answers are kept by default.

Examples:
  reknit mirror pypi npm
  reknit mirror pypi=https://pypi.org/simple pypi=https://mirror.example/simple --cache /var/cache/reknit
  reknit mirror git=https://github.com --listen 127.0.0.1:8471
  reknit mirror internal:pypi=https://user@pypi.corp.example/simple --stale-if-error 1d

SIGTERM and Ctrl-C let running requests end (exit code 0), the second one ends at once. What is going on: URL/~status.`;

const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

export function createMirrorCommand(onExit: (code: number) => void): Command {
  return new Command('mirror')
    .description('Serve package registries and other origins from a local address that heals what passes through it.')
    .argument('[ORIGIN...]', 'PRESET, PRESET=URL or NAME:PRESET=URL')
    .addOption(
      new Option('--upstream <NAME=URL>', 'one more upstream of that origin; may be repeated').argParser(collect),
    )
    .option('--listen <HOST:PORT>', 'where clients are served; port 0 is any free one (default: 127.0.0.1:8471)')
    .option('--cache <DIR>', 'where answers are kept (default: mirror/ in the state folder)')
    .option('--no-cache', 'keep no answers')
    .option('--cache-size <SIZE>', 'beyond it the least recently used go (default: 10GiB)')
    .option('--stale-if-error <DURATION>', 'serve what is kept so long after it became stale, if no upstream answers')
    .option('--max-connections <N>', 'to one host, for all users of the mirror together (default: 8)')
    .option('--max-attempts <N>', 'attempts at each upstream, the first included (default: 10)')
    .option('--deadline <DURATION>', 'bound of one request to an upstream, its body included (default: none)')
    .option('--cacert <FILE>', 'authorities to trust, beside those of Node.js')
    .option('--json', 'one event per line to stderr: where it listens, requests, troubles, the end')
    .option('--quiet', 'say nothing but errors')
    .option('--verbose', 'one line per request and fetch')
    .addHelpText('after', examples)
    .action(async (words: readonly string[], flags: MirrorFlags) => {
      keepParserPlain();
      const { mirror } = await import('./mirror.ts');
      onExit(await mirror(words, flags));
    });
}
