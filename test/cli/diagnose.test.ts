/** `reknit diagnose` as a user runs it. */
import { readFile, stat, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Lab, type Run, type Scenario, startLab } from '../../src/lab/index.ts';
import { createFolder, jsonLines, reknit, start } from './command.ts';

let lab: Lab;
beforeAll(async () => {
  lab = await startLab();
});
afterAll(() => lab.close());

function play(scenario: Omit<Scenario, 'name'>): Run {
  return lab.play({ name: 'subject', resource: { sizeBytes: 10_000 }, ...scenario }, { port: 'own' });
}

const alone = ['--proxy', 'none', '--no-other-clients'];
const notFound: Scenario['requests'] = [{ on: 'every', do: { kind: 'status', status: 404 } }];
const silent: Scenario['requests'] = [{ on: 'every', do: { kind: 'stall', at: 'request' } }];

test('a verdict is told on stdout, with what helps, and the way to it on stderr', async () => {
  const { code, stdout, stderr } = await reknit(['diagnose', play({ requests: notFound }).url, ...alone]);
  expect(code).toBe(0);
  const text = String(stdout);
  expect(text.split('\n')[0]).toMatch(
    /^(?:Most likely )?the server refuses this request \(\d+ %\) · GET http|^The server refuses this request/,
  );
  expect(text).toContain('HTTP 404 Not Found');
  expect(text).toMatch(/\n\nWhat helps\n {2}/);
  expect(text).toMatch(/\d{4}-\d\d-\d\dT[\d:.]+Z {2}127\.0\.0\.1:\d+ → 127\.0\.0\.1:\d+ {2}GET/);
  expect(stderr).toMatch(/^reknit: plain \(/);
});

test('--json writes one event per line: each experiment, each request, each finding, the diagnosis', async () => {
  const { code, stdout, stderr } = await reknit(['diagnose', play({ requests: notFound }).url, '--json', ...alone]);
  const events = jsonLines(stdout);
  expect(code).toBe(0);
  expect(stderr).toBe('');
  expect(new Set(events.map(({ event }) => event))).toEqual(new Set(['experiment', 'request', 'finding', 'diagnosis']));
  expect(events.every(({ schema }) => schema === 1)).toBe(true);
  expect(events.at(-1)).toMatchObject({
    event: 'diagnosis',
    verdict: { kind: 'settled', causes: [{ cause: 'request-refused' }] },
  });
});

test('--html writes a page that needs nothing beside itself', async () => {
  await using folder = await createFolder();
  const path = folder.file('report.html');
  const { code, stderr } = await reknit([
    'diagnose',
    play({ requests: notFound }).url,
    '--html',
    path,
    '--quiet',
    ...alone,
  ]);
  expect(code).toBe(0);
  expect(stderr).toBe(`reknit: wrote ${path}\n`);
  const page = await readFile(path, 'utf8');
  expect(page).toMatch(/^<!doctype html>/);
  expect(page).toContain('<svg class="timeline"');
  expect(page).not.toMatch(/<script|<link|<img|@import|url\(/);
});

test('a page that cannot be written is exit 6, and the verdict is told all the same', async () => {
  await using folder = await createFolder();
  await writeFile(folder.file('file'), '');
  const path = folder.file('file/report.html');
  const { code, stdout, stderr } = await reknit([
    'diagnose',
    play({ requests: notFound }).url,
    '--html',
    path,
    '--quiet',
    ...alone,
  ]);
  expect(code).toBe(6);
  expect(String(stdout)).toContain('HTTP 404');
  expect(stderr).toContain(`reknit: Cannot write the page to ${JSON.stringify(path)}: ENOTDIR`);
});

test('what is not settled is exit 1, and says what would settle it', async () => {
  const { code, stdout } = await reknit(['diagnose', play({}).url, '-X', 'POST', '--data', 'a=1', '--quiet', ...alone]);
  expect(code).toBe(1);
  expect(String(stdout)).toMatch(/^Not settled · POST http/);
  expect(String(stdout)).toContain('--allow-writes');
});

test('Ctrl-C ends it with 130: no connection and no file is left', async () => {
  await using folder = await createFolder();
  const run = play({ requests: silent });
  const path = folder.file('report.html');
  const { child, ended } = start(['diagnose', run.url, '--html', path, ...alone]);
  await run.untilConnection(1);
  await run.until(({ requests }) => requests.length > 0);
  child.kill('SIGINT');
  const { code, stdout, stderr } = await ended;
  expect(code).toBe(130);
  expect(String(stdout)).toBe('');
  expect(stderr).toContain('reknit: interrupted');
  await expect(stat(path)).rejects.toMatchObject({ code: 'ENOENT' });
  await run.untilIdle();
});

test('no credential is printed, however it was given', async () => {
  const run = play({ requests: notFound });
  const url = run.url.replace('//', '//somebody:urlsecret@');
  const ways = [
    [url],
    [run.url, '-u', 'somebody:usersecret'],
    [run.url, '-H', 'Authorization: Bearer headersecret', '-H', 'Cookie: id=cookiesecret'],
  ];
  const said = await Promise.all(
    ways.map(async (args, index) => {
      const { stdout, stderr } = await reknit([
        'diagnose',
        ...args,
        index === 0 ? '--json' : '--verbose',
        '--proxy',
        'none',
      ]);
      return `${stdout}${stderr}`;
    }),
  );
  expect(said.join('\n')).not.toMatch(/urlsecret|usersecret|headersecret|cookiesecret|c29tZWJvZHk/);
  // They were used, though: else there would be nothing to hide.
  const sent = new Set(run.record.requests.map(({ headers }) => headers.authorization));
  const basic = (login: string) => `Basic ${Buffer.from(login).toString('base64')}`;
  for (const one of [basic('somebody:urlsecret'), basic('somebody:usersecret'), 'Bearer headersecret'])
    expect(sent).toContain(one);
});

for (const [args, words] of [
  [['example.com'], 'absolute http or https URL'],
  [['http://a.test/', '--max-requests', '0'], '--max-requests'],
  [['http://a.test/', '--max-bytes', 'many'], '--max-bytes'],
  [['http://a.test/', '--max-time', '10'], '--max-time'],
  [['http://a.test/', '-H', 'nocolon'], '-H'],
  [['http://a.test/', '-u', 'nobody'], '-u'],
  [['http://a.test/', '--cacert', '/nonexistent.pem'], '--cacert'],
  [['http://a.test/', '--cert', '/nonexistent.pem'], '--key'],
  [['http://a.test/', '--data', '@/nonexistent'], '--data'],
  [['http://a.test/', '--resolver', 'name.test'], '--resolver'],
  [['http://a.test/', '--proxy', 'ftp://a.test'], 'proxy'],
  [['http://a.test/', '--html', ''], '--html'],
  [['http://a.test/', '--nonsense'], '--nonsense'],
  [[], 'URL'],
] as const) {
  test(`diagnose ${args.join(' ')} is exit 2, with one line that says what is wrong`, async () => {
    const { code, stdout, stderr } = await reknit(['diagnose', ...args]);
    expect(code).toBe(2);
    expect(String(stdout)).toBe('');
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(stderr).toMatch(/^reknit: .*; see reknit (diagnose )?--help$/m);
    expect(stderr).toContain(words);
  });
}
