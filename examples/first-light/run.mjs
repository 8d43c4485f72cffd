// `npm start`: a server that breaks every connection, two ways to get a file from it all the same, and a gateway.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startLab } from 'reknit/lab';
import { gatewayStory } from './gateway.mjs';

const MiB = 1024 * 1024;
const here = fileURLToPath(new URL('.', import.meta.url));
const cli = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

const hostile = {
  name: 'first-light',
  resource: { sizeBytes: 32 * MiB },
  requests: [
    { on: 4, do: { kind: 'status', status: 503, retryAfter: '1' } },
    { on: 9, do: { kind: 'stall', at: 'body', atByte: MiB } },
    { on: 'every', do: { kind: 'cut', by: 'rst', at: 'body', everyBytes: 2 * MiB } },
  ],
};

const say = (text = '') => console.log(text);
const title = (text) => say(`\n── ${text} ${'─'.repeat(Math.max(2, 90 - text.length))}\n`);
const megabytes = (bytes) => `${(bytes / MiB).toFixed(2)} MiB`;

/** Runs a child to its end. */
function run(args, { env = {}, stderr = 'inherit' } = {}) {
  const child = spawn(process.execPath, args, {
    cwd: here,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', stderr],
  });
  const collect = async (stream) => {
    let text = '';
    for await (const chunk of stream?.setEncoding('utf8') ?? []) text += chunk;
    return text;
  };
  const ended = new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  return Promise.all([collect(child.stdout), collect(child.stderr), ended]).then(([out, err, code]) => ({
    out,
    err,
    code,
  }));
}

/** One row per request: what the server did (its own record), and what the client made of it (its `--json`). */
function printAttempts(requests, events) {
  const column = (text, width) => String(text).padEnd(width);
  say(`  ${column('#', 4)}${column('asked for', 22)}${column('the server', 40)}reknit`);
  for (const { n, range, answered } of requests) {
    const asked = range === undefined ? 'the file' : `from ${megabytes(Number(/\d+/.exec(range)[0]))}`;
    const failure = events.find(({ event, attempt }) => event === 'failure' && attempt === n);
    const wait = events.find(({ event, attempt }) => event === 'wait' && attempt === n);
    const did = answered.status >= 400 ? `answered ${answered.status}, Retry-After: 1` : describeBody(answered);
    const then =
      wait === undefined
        ? 'done'
        : wait.delayMs === 0
          ? 'goes on at once'
          : `waits ${(wait.delayMs / 1000).toFixed(1)} s`;
    say(
      `  ${column(n, 4)}${column(asked, 22)}${column(did, 40)}${failure === undefined ? '' : `${failure.what}: `}${then}`,
    );
  }
}

function describeBody({ status, bodyBytesSent, endedBy }) {
  const end =
    { rst: 'then a reset', client: 'then silence', stall: 'then silence', complete: 'to the end' }[endedBy] ?? endedBy;
  return `${status}, ${megabytes(bodyBytesSent)}, ${end}`;
}

function printLog(text, count) {
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => line.replace(/ · GET .*/, ''));
  for (const line of lines.slice(0, count)) say(`  ${line}`);
  if (lines.length > count) say(`  … and ${lines.length - count} more lines like these`);
}

function check(what, isRight) {
  say(`  ${isRight ? '✓' : '✗'} ${what}`);
  if (!isRight) process.exitCode = 1;
}

const lab = await startLab();
const folder = await mkdtemp(join(tmpdir(), 'reknit-first-light-'));
try {
  say('A server on this machine offers a file of 32 MiB, and breaks every connection after 2 MiB.');
  say('One answer will be 503, and one will fall silent in the middle. All of it is real sockets.');

  title('1. What happens today: a script with plain fetch');
  const plain = lab.play(hostile);
  say(`$ node fetch-it.mjs ${plain.url}`);
  const today = await run(['fetch-it.mjs', plain.url], { stderr: 'pipe' });
  say(`  ${/^\w*Error.*$/m.exec(today.err)?.[0] ?? today.out}  (exit ${today.code})`);

  title('2. A download that heals');
  const download = lab.play(hostile);
  const file = join(folder, 'big.bin');
  say(`$ reknit get ${download.url} -o big.bin --stall-timeout 2s --json`);
  const got = await run([cli, 'get', download.url, '-o', file, '--stall-timeout', '2s', '--json']);
  const events = got.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const done = events.find(({ event }) => event === 'done');
  say('\nAttempt by attempt, as the server and reknit saw it:\n');
  printAttempts(download.record.requests, events);
  const sha256 = createHash('sha256')
    .update(await readFile(file))
    .digest('hex');

  title('3. The script of 1, unchanged, with reknit under it');
  const healed = lab.play(hostile);
  say(`$ REKNIT_LOG=stderr REKNIT_STALL_TIMEOUT=2s node --import reknit/register fetch-it.mjs ${healed.url}`);
  const script = await run(['--import', 'reknit/register', 'fetch-it.mjs', healed.url], {
    env: { REKNIT_LOG: 'stderr', REKNIT_STALL_TIMEOUT: '2s' },
    stderr: 'pipe',
  });
  printLog(script.err, 8);
  say(`\n  it printed: ${script.out.trim()}`);

  title('The proof');
  say(`  the server's file     ${download.sha256}`);
  say(`  big.bin               ${sha256}`);
  say(`  what the script read  ${script.out.trim().split(' ')[1]}\n`);
  const { requests } = download.record;
  check(`the plain script failed at its first broken connection`, today.code !== 0);
  check(`reknit get: the right file after ${done?.attempts} attempts`, got.code === 0 && sha256 === download.sha256);
  check(
    `the server counted ${requests.length} requests, and sent ${megabytes(download.record.bodyBytesSent)} for 32 MiB`,
    requests.length === done?.attempts,
  );
  check(
    `the unchanged script: the right bytes over ${healed.record.requests.length} requests`,
    script.code === 0 && script.out.trim() === `${healed.sizeBytes} ${healed.sha256}`,
  );

  title('4. A gateway in front of two providers that fail');
  await gatewayStory({ lab, folder, say, check });
  say(
    process.exitCode === 1
      ? '\nSomething is wrong: please report it.'
      : '\nNow try it on a URL of yours:  npx reknit get URL',
  );
} finally {
  await lab.close();
  await rm(folder, { recursive: true, force: true });
}
