/**
 * A server that serves two downloads at once and refuses the others (nginx's `limit_conn`, a proxy's `maxconn`) was met
 * with sixteen: the refusals emptied the retry budget within the first second, and twelve downloads failed. Refusals that
 * our own crowd brings are answered by a smaller crowd now, and cost no budget.
 */
import { describe, expect, test } from 'vitest';
import { createClient, ledgerOf } from '../../src/http/index.ts';
import { startLab } from '../../src/lab/index.ts';
import { sha256 } from '../wire/ways.ts';

/** Small waits, and all else as it comes. */
const hurried = { retry: { baseDelayMs: 5, throttleDelayMs: 5, maxDelayMs: 40 }, proxy: false } as const;
const sizeBytes = 200_000;

for (const status of [429, 503]) {
  describe(`a server that answers ${status} above two at once`, () => {
    const scenario = {
      name: 'two-at-once',
      resource: { sizeBytes },
      requests: [
        { on: 'every', where: { concurrentAbove: 2 }, do: { kind: 'status', status } },
        { on: 'every', do: { kind: 'trickle', chunkBytes: 50_000, everyMs: 5 } },
      ],
    } as const;

    test('serves sixteen in the end, without a retry taken from the budget', async () => {
      await using lab = await startLab();
      await using client = createClient(hurried);
      const run = lab.play(scenario);
      const answers = await Promise.all(
        Array.from({ length: 16 }, async () => {
          const answer = await client.request(run.url);
          return { ledger: answer.ledger, body: Buffer.from(await answer.body.arrayBuffer()) };
        }),
      );
      for (const { body } of answers) expect(sha256(body)).toBe(run.sha256);
      const hops = answers.reduce((sum, { ledger }) => sum + ledger.hopCount, 0);
      expect(run.record.requests.length).toBe(hops);
    });
  });
}

test('a server that refuses everybody is not asked for ever: each refusal makes the crowd smaller', async () => {
  await using lab = await startLab();
  await using client = createClient(hurried);
  const run = lab.play({ name: 'nobody', requests: [{ on: 'every', do: { kind: 'status', status: 503 } }] });
  const answers = await Promise.all(Array.from({ length: 16 }, () => client.fetch(run.url)));
  for (const answer of answers) {
    expect(answer.status).toBe(503);
    await answer.body?.cancel();
  }
  const attempts = answers.reduce((sum, answer) => sum + (ledgerOf(answer)?.attemptCount ?? 0), 0);
  expect(run.record.requests.length).toBe(attempts);
  // 16 first attempts, the budget, and what the lowering from 16 to 1 paid for with those that ran beside it.
  expect(attempts).toBeLessThanOrEqual(16 + 13 + 2 * 16);
});
