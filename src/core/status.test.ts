import { describe, expect, it } from 'vitest';
import { defaultTransientStatuses, statusPhrase, statusVerdict } from './status.ts';

const facts = { transientStatuses: defaultTransientStatuses, pushbackMs: undefined };

describe('statusVerdict', () => {
  it('finds no failure below 400', () => {
    for (const status of [200, 204, 206, 301, 304, 399]) expect(statusVerdict(status, facts)).toBeUndefined();
  });

  it('knows the transient statuses, and no other', () => {
    const transient = Array.from({ length: 600 }, (_, status) => status).filter(
      (status) => statusVerdict(status, facts)?.transient,
    );
    expect(transient).toEqual([408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529]);
    for (const status of [400, 401, 403, 404, 410, 416, 501, 505, 511]) {
      expect(statusVerdict(status, facts)).toMatchObject({
        kind: 'status',
        transient: false,
        mayHaveRun: true,
        status,
      });
    }
  });

  it('believes a 429, and a 503 with pushback, that nothing ran', () => {
    expect(statusVerdict(429, facts)).toMatchObject({ kind: 'throttled', mayHaveRun: false });
    expect(statusVerdict(503, facts)).toMatchObject({ kind: 'status', mayHaveRun: true });
    expect(statusVerdict(503, { ...facts, pushbackMs: 0 })).toMatchObject({
      kind: 'throttled',
      mayHaveRun: false,
      pushbackMs: 0,
    });
    expect(statusVerdict(502, { ...facts, pushbackMs: 9 })).toMatchObject({
      kind: 'status',
      mayHaveRun: true,
      pushbackMs: 9,
    });
  });

  it('believes no refusal if told not to', () => {
    expect(statusVerdict(429, { ...facts, trustRefusals: false })).toMatchObject({
      kind: 'throttled',
      mayHaveRun: true,
    });
  });

  it('lets the caller widen and narrow what is transient', () => {
    const own = { ...facts, transientStatuses: new Set([404, 202]) };
    expect(statusVerdict(404, own)?.transient).toBe(true);
    expect(statusVerdict(202, own)?.transient).toBe(true);
    expect(statusVerdict(500, own)?.transient).toBe(false);
  });

  it('says the status in words', () => {
    expect(statusVerdict(503, facts)?.what).toBe('HTTP 503 Service Unavailable');
    expect(statusPhrase(599)).toBe('HTTP 599');
  });
});
