// Requests in bursts or in lanes, and what became of each, as their client sees it.
import { readFile } from 'node:fs/promises';
import { Agent, request } from 'undici';

/** One request whose answer must be the proof of it. */
async function ask(url, id, dispatcher) {
  const beganAtMs = performance.now();
  const told = (rest) => ({ id, ms: performance.now() - beganAtMs, ...rest });
  try {
    const { statusCode, headers, body } = await request(`${url}/proof/${id}`, { dispatcher });
    const text = await body.text();
    const attempts = Number(headers['x-reknit-attempts'] ?? 1);
    const isRight = statusCode === 200 && text === `proof of ${id}\n`;
    return told({ isRight, attempts, why: isRight ? undefined : `HTTP ${statusCode} ${text.slice(0, 60)}`, text });
  } catch (error) {
    return told({ isRight: false, attempts: 0, why: error.code ?? error.message });
  }
}

/** @returns the load: `burst` asks at once, `lanes` asks one after the other in so many lanes */
export function createLoad(url) {
  const dispatcher = new Agent({ connections: 256, pipelining: 1 });
  const answers = [];
  let count = 0;
  const one = async () => {
    count += 1;
    const answer = await ask(url, count, dispatcher);
    answers.push(answer);
    return answer;
  };
  return {
    answers,
    burst: (size) => Promise.all(Array.from({ length: size }, one)),
    lanes: async (width, mayGoOn) => {
      const lane = async () => {
        while (mayGoOn()) await one();
      };
      await Promise.all(Array.from({ length: width }, lane));
    },
    close: () => dispatcher.destroy(),
  };
}

export function summaryOf(answers) {
  const failed = answers.filter(({ isRight }) => !isRight);
  return {
    requests: answers.length,
    failed: failed.length,
    whys: Object.fromEntries(
      Object.entries(Object.groupBy?.(failed, ({ why }) => why) ?? {}).map(([why, all]) => [why, all.length]),
    ),
    longestMs: answers.reduce((longest, { ms }) => Math.max(longest, ms), 0),
  };
}

/** What the gateway itself says about the same requests, and whether all say the same. */
export async function compare(gateway, answers, logPath) {
  const metrics = await gateway.metrics();
  const charged = gateway.status().reduce((sum, { failedRequests }) => sum + failedRequests, 0);
  await gateway.close();
  const lines = (await readFile(logPath, 'utf8'))
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
  const ended = lines.filter(({ msg }) => msg === 'request');
  const sum = (values) => values.reduce((total, value) => total + value, 0);
  const attempts = {
    header: sum(answers.map((answer) => answer.attempts)),
    log: sum(ended.map((line) => line.attempts)),
    metric: sum(
      metrics
        .split('\n')
        .filter((line) => line.startsWith('reknit_attempts_total{'))
        .map((line) => Number(line.slice(line.lastIndexOf(' ')))),
    ),
    error: sum(
      answers
        .filter(({ text = '' }) => text.includes('"attempts"'))
        .map(({ text }) => JSON.parse(text).error.attempts.length),
    ),
    errorHeader: sum(answers.filter(({ text = '' }) => text.includes('"attempts"')).map((answer) => answer.attempts)),
  };
  return { attempts, charged, loggedRequests: ended.length };
}
