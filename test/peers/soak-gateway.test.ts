/** The gateway beyond its capacity while its upstreams die and come back; `npm run soak:gateway` does it for two minutes. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const program = fileURLToPath(new URL('../../scripts/soak-gateway.mjs', import.meta.url));

test('at 120 % of capacity, with upstreams killed at random: nothing is lost or mixed up, and it recovers', {
  timeout: 120_000,
}, async () => {
  const child = spawn(process.execPath, [program, '--json', '--seconds', '6', '--seed', '11']);
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  expect(err).toBe('');
  const { checks, kills } = JSON.parse(out) as { kills: number; checks: { what: string; holds: boolean }[] };
  expect(checks.filter(({ holds }) => !holds)).toEqual([]);
  expect(kills).toBeGreaterThan(0);
});
