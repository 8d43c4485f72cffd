/** Every scenario over HTTP/2 by the plainest right client over node:http2: it keeps all bytes, and counts them. */
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { catalogue, type Run, scenarioNamed, startLab } from '../../../src/lab/index.ts';
import { openSession, type StreamSeen } from './http2-client.ts';

const sizeBytes = 262_144;
const maxAttempts = 40;
/** Several answers are silent, and a busy machine is none of them. */
const stallMs = 1_500;

/** node:http2 takes these cuts for an end, and without content-length nothing else tells. */
const taken: ReadonlySet<string> = new Set([
  'h2-unframed-rst-no-error',
  'h2-unframed-rst-cancel',
  'h2-unframed-early-end',
  'h2-unframed-fin',
]);

/** One attempt on a connection of its own, so that a session that Node has broken is not met again. */
async function attempt(run: Run, ca: string, headers: Record<string, string>): Promise<StreamSeen> {
  const client = openSession(run.url, ca);
  client.session.setTimeout(stallMs, () => client.session.destroy());
  const seen = await client.get(run.url, headers);
  client.session.destroy();
  return seen;
}

async function fetchByHttp2(run: Run, ca: string): Promise<Buffer | undefined> {
  let kept = Buffer.alloc(0);
  let etag: string | undefined;
  for (let count = 1; count <= maxAttempts; count += 1) {
    const seen = await attempt(run, ca, etag === undefined ? {} : { range: `bytes=${kept.length}-`, 'if-range': etag });
    if (seen.status !== 200 && seen.status !== 206) continue;
    const from = Number(/^bytes (\d+)-/.exec(seen.headers['content-range'] ?? '')?.[1] ?? 0);
    if (seen.status === 206 && (from !== kept.length || seen.headers.etag !== etag)) continue;
    kept = Buffer.concat([kept.subarray(0, from), seen.body]);
    etag = seen.headers.etag;
    const length = seen.headers['content-length'];
    const isWhole = length === undefined ? seen.ended === 'end' : kept.length === from + Number(length);
    if (isWhole) return kept;
    if (length === undefined) etag = undefined;
  }
  return undefined;
}

describe.concurrent('a patient client over HTTP/2', () => {
  for (const { scenario, expect: expected, needs } of catalogue) {
    if (needs !== 'http2') continue;
    test(`${scenario.name}: ${expected}`, async () => {
      await using lab = await startLab({ sparePorts: 1 });
      const run = lab.play(scenarioNamed(scenario.name, { sizeBytes }));
      const body = await fetchByHttp2(run, lab.ca);
      const version = run.versionOf(
        createHash('sha256')
          .update(body ?? '')
          .digest('hex'),
      );
      if (expected === 'heals') expect(version).toBeGreaterThanOrEqual(0);
      else if (body !== undefined && !taken.has(scenario.name)) expect(version).toBeGreaterThanOrEqual(0);
      expect(run.record.requests.every(({ httpVersion }) => httpVersion === 'HTTP/2')).toBe(true);
      await run.untilIdle();
      expect(run.record.requests.map(({ answered }) => answered.endedBy)).not.toContain('none');
    });
  }
});
