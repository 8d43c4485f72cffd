import { Command, Option } from 'commander';
import { extractFlags } from './get-extract-settings.ts';
import type { GetFlags } from './get-flags.ts';
import { transferFlags } from './get-transfer-flags.ts';
import { makeEngineLean } from './lean-engine.ts';
import { clientFlags } from './option-flags.ts';

const examples = `
Every option has a REKNIT_… variable of the same name (--stall-timeout: REKNIT_STALL_TIMEOUT); the flag comes first.
Durations are written 500ms, 30s, 5m; sizes 65536, 64KiB, 10MB.

Examples:
  reknit get https://example.com/big.iso
  reknit get https://example.com/big.iso -o /data/ --checksum sha256:9f86d081884c7d65…
  reknit get https://example.com/a.zip https://example.com/b.zip -o downloads
  reknit get -i list.txt -o downloads --jobs 16
  reknit get https://example.com/data.tar.gz -o - | tar xz
  reknit get https://example.com/data.tar.gz --extract data
  reknit get https://example.com/big.iso --mirror https://example.org/big.iso --checksum SHA256SUMS
  reknit get https://example.com/big.iso --json --deadline 30m --stall-timeout 10s

A line of a list is a URL, or {"url": "…", "output": "…", "checksum": "…", "size": N, "headers": {…}, "mirrors": […]}
with url alone required; empty lines and those that begin with # are left out. With -o outputs stay in that folder.
A second run of the same list skips what is proven, and finishes the rest.

An interrupted download is continued by running the same command again.`;

const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

export function createGetCommand(onExit: (code: number) => void): Command {
  const command = new Command('get')
    .description('Download files; cut, stalled and killed downloads are continued, and the result is proven.')
    .argument('[URL...]', 'what to download')
    .option('-o, --output <PATH>', 'a file, a folder, or - for stdout (default: the name in the URL, here)')
    .option('-i, --input <LIST>', 'a file of URLs, one per line, or of JSON objects; - for stdin')
    .option('--jobs <N>', 'files at the same time (default: 8)')
    .option(
      '--checksum <DIGEST>',
      'what the content must be: sha256:HEX, sha512:, sha1:, md5:, SRI sha256-BASE64, or the path or URL of a SHA256SUMS',
    )
    .option('--force', 'replace a file that exists')
    .addOption(new Option('-H, --header <NAME: VALUE>', 'send this header; may be repeated').argParser(collect))
    .option('-u, --user <USER:PASSWORD>', 'login, sent to the origin of the URL only')
    .option('--netrc', 'take the login from ~/.netrc, or the file that NETRC names')
    .option('--json', 'also write one event per line to stdout (with -o - to stderr, alone)')
    .option('--quiet', 'say nothing but errors')
    .option('--verbose', 'one line per attempt and wait, and the causes of errors')
    .option('--cacert <FILE>', 'trust the certificate authorities in this file (PEM)')
    .option('--cert <FILE>', 'our certificate (PEM)')
    .option('--key <FILE>', 'its key (PEM)')
    .option('--proxy <URL>', 'a proxy, or none (default: HTTP_PROXY, HTTPS_PROXY, NO_PROXY)')
    .option('--unix-socket <PATH>', 'connect to this socket, whatever the host');
  for (const option of extractFlags()) command.addOption(option);
  for (const option of transferFlags()) command.addOption(option);
  for (const option of clientFlags()) command.addOption(option);
  return command.addHelpText('after', examples).action(async (urls: readonly string[], flags: GetFlags) => {
    makeEngineLean();
    const { get } = await import('./get.ts');
    const isGiven = (key: string) => command.getOptionValueSource(key) === 'cli';
    onExit(await get(urls, flags, isGiven));
  });
}
