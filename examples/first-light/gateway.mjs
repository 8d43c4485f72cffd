// The fourth story of `npm start`: two providers of a model behind `reknit gateway`; one dies in the middle of a stream, the
// other is slow. The client, the log, the headers and the metrics tell the same story.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { modelStream } from 'reknit/lab';

const cli = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** Ten lines are a gateway. */
const configOf = (dying, slow, log) => `listen: 127.0.0.1:0
admin: 127.0.0.1:0
log: { to: ${log} }
timeouts: { firstContent: 3s }
upstreams:
  - name: dying
    url: ${dying}
  - name: slow
    url: ${slow}
    tier: 1
`;

/** A run answers every path; its query belongs to its address. */
function addressOf(run) {
  const { origin, search } = new URL(run.url);
  return `${origin}/${search}`;
}

async function startGateway(path) {
  const child = spawn(process.execPath, [cli, 'gateway', '--config', path, '--json'], {
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  const [said] = await once(child.stderr.setEncoding('utf8'), 'data');
  const { urls, adminUrl } = JSON.parse(said.split('\n')[0]);
  const ended = new Promise((resolve) => child.once('exit', resolve));
  return {
    url: urls[0],
    adminUrl,
    end: () => {
      child.kill('SIGTERM');
      return ended;
    },
  };
}

/** Like `curl -N`: what came, and how it ended. */
async function stream(url) {
  const body = JSON.stringify({ model: 'lab-model', stream: true, messages: [{ role: 'user', content: 'Count.' }] });
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${url}/v1/chat/completions`, { method: 'POST', headers, body });
  const decoder = new TextDecoder();
  let text = '';
  let isCut = false;
  try {
    for await (const chunk of response.body) text += decoder.decode(chunk, { stream: true });
  } catch {
    isCut = true;
  }
  const said = [...text.matchAll(/"content":"(t\d+ )"/g)].map(([, token]) => token).join('');
  const error = /data: \{"error":\{"message":"([^"]*)"/.exec(text)?.[1];
  const field = (name) => response.headers.get(`x-reknit-${name}`);
  return {
    said,
    error,
    isCut,
    isDone: text.includes('[DONE]'),
    upstream: field('upstream'),
    attempts: Number(field('attempts')),
  };
}

export async function gatewayStory({ lab, folder, say, check }) {
  const troubles = [
    { on: 1, trouble: { kind: 'cut', atToken: 0, by: 'rst' } },
    { on: { from: 2 }, trouble: { kind: 'cut', atToken: 6, by: 'rst' } },
  ];
  const [first, then] = troubles.map(({ on, trouble }) => modelStream({ name: 'dying', trouble, on }));
  // The first request meets a provider that dies before its first word, all others one that dies behind the sixth.
  const dying = lab.play({ ...first, requests: [first.requests[0], ...then.requests] }, { port: 'own' });
  const slow = lab.play(
    modelStream({ name: 'slow', trouble: { kind: 'slow-first-token', delayMs: 700 }, tokenMs: 30 }),
    { port: 'own' },
  );
  const [path, log] = [join(folder, 'gateway.yaml'), join(folder, 'access.log')];
  await writeFile(path, configOf(addressOf(dying), addressOf(slow), log));
  const gateway = await startGateway(path);
  say('$ reknit gateway --config gateway.yaml     # ten lines: two upstreams, the second when the first has failed');
  const told = async (what) => {
    const answer = await stream(gateway.url);
    say(`\n  ${what}\n`);
    say(`    the client read   ${answer.said}${answer.isDone ? '[DONE]' : ''}`);
    if (answer.error !== undefined)
      say(`    and then          error: ${answer.error}; the connection is cut, no [DONE]`);
    say(`    the headers       x-reknit-upstream: ${answer.upstream}, x-reknit-attempts: ${answer.attempts}`);
    return answer;
  };
  const rescued = await told('One dies before its first word, the other takes its time: nobody notices.');
  const broken = await told(
    'One dies in the middle of its answer: nothing is spliced, and nobody takes it for an end.',
  );
  const metrics = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
  const counted = metrics.split('\n').filter((line) => /^reknit_(attempts_total|requests_total)\{/.test(line));
  const code = await gateway.end();
  const lines = (await readFile(log, 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  say('\n  the log');
  for (const { msg, upstream, next, outcome, attempts, failure } of lines)
    say(
      `    ${msg === 'retry' ? `retry: ${upstream} → ${next}: ${failure}` : `${outcome} by ${upstream}, attempts ${attempts}${failure === undefined ? '' : `: ${failure}`}`}`,
    );
  say('\n  the metrics');
  for (const line of counted) say(`    ${line}`);
  say();
  const ended = lines.filter(({ msg }) => msg === 'request');
  const whole = Array.from({ length: 12 }, (_, index) => `t${index} `).join('');
  const seen = dying.requestCount + slow.requestCount;
  const inMetrics = counted
    .filter((line) => line.startsWith('reknit_attempts'))
    .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  check(
    'before the first word: the whole answer, from the other',
    rescued.said === whole && rescued.isDone && rescued.upstream === 'slow',
  );
  check(
    'behind it: an error that every client sees, and no [DONE]',
    broken.error !== undefined && broken.isCut && !broken.isDone,
  );
  check(
    `attempts: the upstreams saw ${seen}; headers, log and metrics say the same`,
    [rescued.attempts + broken.attempts, ended.reduce((sum, { attempts }) => sum + attempts, 0), inMetrics].every(
      (count) => count === seen,
    ) && code === 0,
  );
}
