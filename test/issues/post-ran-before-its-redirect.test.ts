/**
 * A POST was answered 303 (it ran), and the GET behind the redirect could not connect: no byte was written there, so the
 * failure said "not run", and the request began again from its start: the POST ran twice. The same held for a 429 there.
 */
import { expect, test } from 'vitest';
import { play, reasonOf } from '../sim/play.ts';

for (const status of [301, 302, 303]) {
  for (const fault of [
    { kind: 'connect-error', code: 'ECONNREFUSED' },
    { kind: 'status', status: 429, retryAfter: '1', body: 'small' },
  ] as const) {
    test(`a POST that was answered ${status} is not sent again when its redirect fails (${fault.kind})`, async () => {
      const run = await play({
        request: { method: 'POST', body: 'string', bodyBytes: 10 },
        faults: [{ kind: 'redirect', status, to: 'same' }, fault],
      });
      expect(run.transport.served.filter(({ request }) => request.method === 'POST')).toHaveLength(1);
      if (fault.kind === 'connect-error') expect(reasonOf(run)).toBe('may-have-run');
      else expect(run.sight.status).toBe(429);
    });
  }
}
