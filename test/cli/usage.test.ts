/** What a person gets who asks for something that cannot be: one line, exit 2, nothing sent and nothing written. */
import { readdir } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { startLab } from '../../src/lab/index.ts';
import { createFolder, reknit } from './command.ts';

const forms =
  'sha256:HEX, sha512:HEX, sha1:HEX, md5:HEX, SRI such as sha256-BASE64, or the path or URL of a SHA256SUMS file';

/** `URL` stands for one that would work. */
const wrong: readonly (readonly [args: readonly string[], line: string])[] = [
  [
    ['get', 'ftp://host/file'],
    'Cannot download as the URL must be an absolute http or https URL: received "ftp://host/file"',
  ],
  [['get', 'file.bin'], 'Cannot download as the URL must be an absolute http or https URL: received "file.bin"'],
  [['get', 'https://'], 'Cannot download as the URL must be an absolute http or https URL: received "https://"'],
  [['get', 'URL', '--checksum', 'sha256:12'], `Cannot use --checksum as it must be ${forms}: received "sha256:12"`],
  [
    ['get', 'URL', '--checksum', 'crc32:00000000'],
    `Cannot use --checksum as it must be ${forms}: received "crc32:00000000"`,
  ],
  [['get', 'URL', '-H', 'no colon'], `Cannot use -H as it must be 'Name: value': received "no colon"`],
  [
    ['get', 'URL', '-H', 'Bad Name: x'],
    'Cannot use -H as its name must be made of letters, digits and -: received "Bad Name"',
  ],
  [
    ['get', 'URL', '-H', 'X-Key: sec\nret: 1'],
    'Cannot use -H as the value of X-Key must be text of one line: received other characters',
  ],
  [
    ['get', 'URL', '-H', 'Range: bytes=0-1'],
    'Cannot use -H as Range must be left to reknit, which sets it itself: received Range',
  ],
  [['get', 'URL', '-u', 'nocolon'], 'Cannot use -u as it must be USER:PASSWORD: received no colon between them'],
  [['get', 'URL', '--max-attempts', '0'], 'Cannot use --max-attempts as it must be at least 1: received "0"'],
  [['get', 'URL', '--max-attempts', 'many'], 'Cannot use --max-attempts as it must be a whole number: received "many"'],
  [
    ['get', 'URL', '--stall-timeout', '20'],
    'Cannot use --stall-timeout as it must be a duration with its unit, for instance 500ms, 30s, 5m: received "20"',
  ],
  [
    ['get', 'URL', '--deadline', '9999h'],
    'Cannot use --deadline as deadlineMs must be at most 2147483647: received 35996400000',
  ],
  [
    ['get', 'URL', '--min-progress', '1XB'],
    'Cannot use --min-progress as it must be a size, for instance 65536, 64KiB, 10MB: received "1XB"',
  ],
  [
    ['get', 'URL', '--cacert', '/no/such'],
    'Cannot use --cacert as it must be a readable PEM file: received "/no/such"',
  ],
  [['get', 'URL', '--proxy', 'ftp://x'], 'Cannot use the proxy as it must be an http or https URL: received "ftp://x"'],
  [['get', 'URL', '--netrc'], 'Cannot use --netrc as its file must be readable: received "/nonexistent/.netrc"'],
  [['get', 'URL', '-o', ''], 'Cannot use -o as it must be a path: received ""'],
  [['get', 'URL', 'URL', '-o', '-'], 'Cannot use -o - as there must be one URL: received 2 URLs'],
  [['get', 'URL', 'URL'], 'Cannot download as file names must differ: received two URLs for file.bin'],
  [['get'], 'Cannot download as there must be a URL or -i LIST: received neither'],
  [['get', 'URL', '--checksun', 'x'], "unknown option '--checksun' (Did you mean --checksum?); see reknit --help"],
  [['gte', 'URL'], "unknown command 'gte' (Did you mean get?); see reknit --help"],
  [['get', 'URL', '-o'], "option '-o, --output <PATH>' argument missing; see reknit --help"],
];

for (const [args, line] of wrong) {
  test(`${args.join(' ').replace('\n', '\\n')}: exit 2 and one line`, async () => {
    await using lab = await startLab();
    await using folder = await createFolder();
    const run = lab.play({ name: 'usage' });
    const { code, stdout, stderr } = await reknit(
      args.map((arg) => (arg === 'URL' ? run.url : arg)),
      { cwd: folder.path },
    );
    expect({ code, stderr, stdout: stdout.toString() }).toEqual({ code: 2, stderr: `reknit: ${line}\n`, stdout: '' });
    expect(run.requestCount).toBe(0);
    expect(await readdir(folder.path)).toEqual([]);
  });
}

test('a wrong variable is named', async () => {
  const { code, stderr } = await reknit(['get', 'http://127.0.0.1:9/x'], { env: { REKNIT_MAX_ATTEMPTS: 'x' } });
  expect([code, stderr]).toEqual([
    2,
    'reknit: Cannot use REKNIT_MAX_ATTEMPTS as it must be a whole number: received "x"\n',
  ]);
});

test('a URL that is refused never shows its password', async () => {
  const { stderr } = await reknit(['get', 'ftp://me:hunter2@host/x']);
  expect(stderr).toBe(
    'reknit: Cannot download as the URL must be an absolute http or https URL: received "ftp://***@host/x"\n',
  );
});

test('--version is the version of the package', async () => {
  const { code, stdout } = await reknit(['--version']);
  expect([code, stdout.toString()]).toEqual([0, expect.stringMatching(/^\d+\.\d+\.\d+\S*\n$/)]);
});

test('--help lists the commands and the exit codes', async () => {
  const { code, stdout, stderr } = await reknit(['--help']);
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout.toString()).toContain('get [options] [URL...]');
  expect(stdout.toString()).toContain('3  gave up: another run may succeed');
});

test('get --help shows every option with its default, and examples', async () => {
  const { code, stdout } = await reknit(['get', '--help']);
  const help = stdout.toString().replace(/\s+/g, ' ');
  expect(code).toBe(0);
  expect(help).toContain('--max-attempts <N> attempts in a row without progress, the first included (default: 10)');
  expect(help).toContain('--stall-timeout <DURATION> longest silence in a body (default: 20s)');
  expect(help).toContain('--no-keepalive do not use a connection for more than one request');
  expect(help).toContain('--http2 offer HTTP/2');
  expect(help).toContain('Examples: reknit get https://example.com/big.iso');
});

test('without a command, help goes to stderr: exit 2', async () => {
  const { code, stdout, stderr } = await reknit([]);
  expect([code, stdout.length]).toEqual([2, 0]);
  expect(stderr).toContain('Usage: reknit');
});
