import { describe, expect, test } from 'vitest';
import { type ExplainedCause, type ExplainSource, explain } from './explain.ts';

async function causesOf(source: ExplainSource): Promise<readonly ExplainedCause[]> {
  const explanation = await explain(source);
  return explanation.kind === 'explained' ? explanation.causes : [];
}

async function causeOf(source: ExplainSource): Promise<ExplainedCause> {
  return (await causesOf(source))[0]!;
}

describe('a log', () => {
  test('of a chain is one failure: the deepest text is the cause, the others follow from it', async () => {
    const cause = await causeOf(`error: Failed to fetch: \`https://pypi.org/simple/numpy/\`
  Caused by: Request failed after 3 retries
  Caused by: error sending request
  Caused by: client error (Connect)
  Caused by: Connection reset by peer (os error 104)`);
    expect([cause.id, cause.phase, cause.count, cause.hosts]).toEqual(['errno-reset', 'connect', 1, ['pypi.org']]);
    expect(cause.consequences.map(({ id }) => id)).toEqual(['uv-fetch', 'reqwest-sending', 'hyper-connect']);
    expect(cause.failure).toMatchObject({ row: 'connect-reset', mayHaveRun: false });
  });

  test('is counted, with its first and last time and the hosts concerned', async () => {
    const line = (second: number, host: string) =>
      `2026-11-22T19:42:${second}.000Z WARN GET https://${host}/x failed: read ECONNRESET\n`;
    const quiet = '2026-11-22T19:42:30.000Z INFO ok\n'.repeat(20);
    const cause = await causeOf(
      line(10, 'a.example.com') + quiet + line(20, 'b.example.com') + line(40, 'a.example.com'),
    );
    expect(cause).toMatchObject({
      count: 3,
      firstLine: 1,
      lastLine: 23,
      firstTime: '2026-11-22T19:42:10.000Z',
      lastTime: '2026-11-22T19:42:40.000Z',
      hosts: ['a.example.com', 'b.example.com'],
    });
  });

  test('takes the time of a stack from the line that began it', async () => {
    const cause = await causeOf(
      '2026-11-22 19:42:35,123 ERROR unhandled\nTraceback (most recent call last):\nBrokenPipeError: [Errno 32] Broken pipe',
    );
    expect(cause.firstTime).toBe('2026-11-22 19:42:35,123');
  });

  test('ends with what ended the run; trouble before it is told beside', async () => {
    const causes = await causesOf(
      `read ECONNRESET\n${'working\n'.repeat(20)}curl: (22) The requested URL returned error: 404\n`,
    );
    expect(causes.map(({ id }) => id)).toEqual(['status-client', 'errno-reset']);
  });

  test('that ends in a summary takes the reason from above', async () => {
    const causes = await causesOf(
      `WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError('<x>: Failed to establish a new connection: [Errno 111] Connection refused')': /simple/six/\n${'  looking in links\nworking\n'.repeat(20)}ERROR: Could not find a version that satisfies the requirement six (from versions: none)\nERROR: No matching distribution found for six\n`,
    );
    expect(causes.map(({ id }) => id)).toEqual(['errno-refused']);
    expect(causes[0]!.consequences.map(({ id }) => id)).toContain('pip-no-version');
    expect(causes[0]!.next.text).toBe('reknit run -- pip install six');
  });

  test('in chunks is the same as whole, wherever they end', async () => {
    const log = Buffer.from('x\r\n\u001b[31mcurl: (56) Recv failure: Connection reset by peer\u001b[0m\r\ny\r\n');
    const whole = await explain([log]);
    for (let at = 0; at < log.length; at += 1) {
      expect(await explain([log.subarray(0, at), log.subarray(at)])).toEqual(whole);
    }
  });

  test('of 100 MB is read in flat memory', async () => {
    const line = '2026-11-22 19:42:35,123 INFO [worker-12] GET /v1/items?page=3 done, 512 bytes in 12 ms\n';
    const chunk = Buffer.from(line.repeat(Math.ceil(65_536 / line.length)));
    const chunkCount = Math.ceil(100_000_000 / chunk.length);
    const before = process.memoryUsage().rss;
    let peak = before;
    async function* log() {
      for (let index = 0; index < chunkCount; index += 1) {
        if (index % 100 === 0) peak = Math.max(peak, process.memoryUsage().rss);
        yield chunk;
      }
      yield Buffer.from('read ECONNRESET\n');
    }
    expect((await causeOf(log())).id).toBe('errno-reset');
    expect(peak - before).toBeLessThan(150_000_000);
  });

  // A pattern that looked at a character again for each of those before it would need hours for one of these.
  test.each([
    ['escapes', '\u001b['],
    ['titles', '\u001b]'],
    ['carriage returns', '\r'],
    ['beginnings of a pattern', 'operation timed out after '],
    ['other beginnings', 'dial tcp lookup returned error: 5'],
    ['URLs', 'http://'],
    ['quotes', '\'"'],
    ['headers', 'authorization: '],
    ['assignments', 'a=a:'],
    ['requirements', 'Collecting a (from '],
    ['prompts', '$ pip '],
    ['connectors', 'Caused by '],
    ['hits', 'connection reset '],
    ['hits on lines of their own', 'TypeError: fetch failed\n'],
  ])('of four million characters of %s is read in seconds', async (_name, unit) => {
    const explanation = await explain(unit.repeat(Math.ceil(4_000_000 / unit.length)));
    expect(explanation.lineCount).toBeGreaterThan(0);
  });
});

describe('a text that nobody knows', () => {
  test.each([
    'it broke',
    'npm error code ERESOLVE\nnpm error ERESOLVE could not resolve\nnpm error Could not resolve dependency:',
    "ModuleNotFoundError: No module named 'numpy'",
    "Error: ENOENT: no such file or directory, open 'package.json'",
    'src/index.ts(3,1): error TS2304: Cannot find name',
    'Terminated',
    'Aborted (core dumped)',
    'Segmentation fault',
    'cat <<EOF\nEOF',
    'AssertionError: expected 3 to be 4',
    'GET /v1/items 200 512 bytes in 104 ms, os errors: 0',
    'the connection resets its counters; refused to merge unrelated histories',
    'job 104: Errno table loaded, curl 56 tests passed, [28] done',
  ])('is said to be unknown: %s', async (text) => {
    expect(await explain(text)).toMatchObject({ kind: 'unknown' });
  });
});

describe('a repeat', () => {
  test.each([
    [
      'of what was never sent is safe for any method',
      'POST https://a.example.com/x: connect ECONNREFUSED 10.0.0.1:80',
      'yes',
      true,
    ],
    ['of a POST that may have run is not', 'POST https://a.example.com/x: read ECONNRESET', 'no', true],
    [
      'of a push is not',
      'error: RPC failed; curl 55 Send failure: Broken pipe\nsend-pack: unexpected disconnect while reading sideband packet',
      'no',
      true,
    ],
    [
      'of a clone is',
      "Cloning into 'x'...\nerror: RPC failed; curl 56 Recv failure: Connection reset by peer\nfatal: early EOF",
      'yes',
      true,
    ],
    ['depends on the method where the text does not tell it', 'socket hang up', 'depends', true],
    ['after a 429 is safe', 'HTTP Error 429: Too Many Requests', 'yes', true],
    ['does not help with a certificate', 'x509: certificate signed by unknown authority', 'yes', false],
    ['does not help with a 404', 'HTTP Error 404: Not Found', 'depends', false],
  ] as const)('%s', async (_name, text, isSafe, mayHelp) => {
    expect((await causeOf(text)).repeat).toMatchObject({ isSafe, mayHelp });
  });
});

describe('the one thing to try next', () => {
  test.each([
    [
      '$ pip install -r requirements.txt\nConnectionResetError: [Errno 104] Connection reset by peer',
      'reknit run -- pip install -r requirements.txt',
    ],
    [
      'Collecting numpy>=2\npip._vendor.urllib3.exceptions.ReadTimeoutError: Read timed out.',
      "reknit run -- pip install 'numpy>=2'",
    ],
    [
      "fatal: unable to access 'https://user:hunter2@git.example.com/r.git/': Recv failure: Connection reset by peer",
      'reknit run -- git clone https://git.example.com/r.git/',
    ],
    [
      '--2026-11-22 19:42:35--  https://dl.example.com/big.iso\n2026-11-22 19:42:36 (1 MB/s) - Connection closed at byte 5242880. Retrying.',
      'reknit get https://dl.example.com/big.iso',
    ],
    ['TypeError: terminated', 'node --import reknit/register app.js'],
    ['Error: socket hang up', 'reknit run -- node app.js'],
    [
      "  File \"/app/job.py\", line 7, in <module>\nrequests.exceptions.ConnectionError: ('Connection aborted.', ConnectionResetError(104, 'Connection reset by peer'))",
      'reknit run -- python /app/job.py',
    ],
    ['curl: (6) Could not resolve host: nope.example.invalid', 'getent ahosts nope.example.invalid'],
    ['npm error code ENOSPC', 'df -h . /tmp'],
    [
      "HTTPSConnectionPool(host='api.example.com', port=8443): HTTP Error 403: Forbidden",
      'reknit diagnose https://api.example.com:8443/',
    ],
    [
      '2026/11/22 19:42:35 [error] 1#1: *1 upstream prematurely closed connection while reading response header from upstream, client: 10.0.0.9, server: x, request: "GET / HTTP/1.1", upstream: "http://10.0.3.4:8080/"',
      'reknit diagnose http://10.0.3.4:8080/',
    ],
  ])('of %s', async (text, next) => {
    expect((await causeOf(text)).next.text).toBe(next);
  });
});

test.each([
  'Authorization: Bearer hunter2hunter2',
  'authorization: Basic aHVudGVyMjpodW50ZXIy',
  '"Authorization": "token hunter2hunter2"',
  'https://user:hunter2@host.example.com/x',
  'https://host.example.com/x?access_token=hunter2&sig=hunter2',
  'curl -u me:hunter2 https://host.example.com',
  'npm_config__authToken=hunter2',
  '//registry.npmjs.org/:_authToken=hunter2',
  'PASSWORD="hunter2"',
  "{'api_key': 'hunter2'}",
  'Cookie: session=hunter2; other=hunter2',
  'ghp_hunter2hunter2hunter2',
  'X-Api-Key: hunter2',
])('never shows a credential: %s', async (secret) => {
  const texts = [
    `${secret} failed: read ECONNRESET`,
    `read ECONNRESET ${secret}`,
    `$ pip install ${secret}\n[Errno 104] ${secret}`,
  ];
  for (const text of texts) {
    const shown = JSON.stringify(await explain(text));
    expect(shown).toContain('errno-reset');
    expect(shown).not.toMatch(/hunter2|aHVudGVyMj/);
  }
});
