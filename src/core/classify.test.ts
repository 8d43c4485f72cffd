import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { classify, failureOf, type Observation, rowOf, tagFailure } from './classify.ts';
import type { Failure, Phase } from './failure.ts';

const sent: Observation = { phase: 'wait', error: undefined, unsent: false, reusedSocket: false, answered: false };

function coded(code: string, message = code, properties: object = {}): Error {
  return Object.assign(new Error(message), { code }, properties);
}

const digestFailure: Failure = {
  origin: 'integrity',
  phase: 'body',
  kind: 'digest-mismatch',
  transient: true,
  mayHaveRun: true,
  what: 'wrong digest',
};

describe('the chain of causes', () => {
  it('is decided by its innermost known signature', () => {
    const error = new TypeError('fetch failed', {
      cause: coded('UND_ERR_SOCKET', 'x', { cause: coded('EHOSTUNREACH') }),
    });
    expect(classify({ ...sent, error })).toMatchObject({ kind: 'unreachable', code: 'EHOSTUNREACH' });
  });

  it('is decided by the outer signature if the inner one is unknown', () => {
    const error = coded('ECONNRESET', 'read ECONNRESET', { cause: new Error('something') });
    expect(classify({ ...sent, error }).kind).toBe('reset');
  });

  it('may be a cycle', () => {
    const first = new Error('first');
    const second = new Error('second', { cause: first });
    first.cause = second;
    expect(classify({ ...sent, error: first })).toMatchObject({ kind: 'unknown', what: 'first' });
    expect(failureOf(first)).toBeUndefined();
    const members: unknown[] = [];
    const aggregate = new AggregateError(members, 'all failed');
    Object.assign(aggregate, { errors: [aggregate, aggregate, coded('ECONNREFUSED')] });
    expect(classify({ ...sent, error: aggregate }).kind).toBe('refused');
  });

  it('is read to a bounded depth only', () => {
    let error: Error = coded('ECONNRESET');
    for (let depth = 0; depth < 100_000; depth += 1) error = new Error('wrap', { cause: error });
    expect(classify({ ...sent, error }).kind).toBe('unknown');
  });

  it('keeps the proof of a wrap whose cause is what happened', () => {
    const error = coded('ERR_HTTP2_STREAM_CANCEL', 'The pending stream has been canceled', {
      cause: coded('ECONNRESET', 'read ECONNRESET'),
    });
    expect(classify({ ...sent, error })).toMatchObject({ kind: 'reset', mayHaveRun: false });
  });
});

describe('an AggregateError', () => {
  const refused = () => coded('ECONNREFUSED', 'connect ECONNREFUSED ::1:1', { syscall: 'connect' });
  const noRoute = () => coded('ENETUNREACH', 'connect ENETUNREACH 2001::1', { syscall: 'connect' });
  const forbidden = () => coded('EACCES', 'connect EACCES 10.0.0.1', { syscall: 'connect' });
  const from = (...errors: unknown[]) => Object.assign(new AggregateError(errors, ''), { code: 'ENETUNREACH' });

  it('of refusals is a refusal', () => {
    expect(classify({ ...sent, error: from(refused(), refused()) })).toMatchObject({
      kind: 'refused',
      phase: 'connect',
      mayHaveRun: false,
    });
  });

  it('is its most telling member, in any order', () => {
    for (const error of [from(noRoute(), refused()), from(refused(), noRoute())]) {
      expect(classify({ ...sent, error }).kind).toBe('refused');
    }
    expect(classify({ ...sent, error: from(forbidden(), noRoute()) })).toMatchObject({ transient: true });
  });

  it('proves nothing if one member does not', () => {
    const error = from(refused(), coded('EPIPE', 'write EPIPE', { syscall: 'write' }));
    expect(classify({ ...sent, error }).mayHaveRun).toBe(true);
    expect(classify({ ...sent, error: from(refused(), new Error('?')) }).mayHaveRun).toBe(true);
    expect(classify({ ...sent, unsent: true, error }).mayHaveRun).toBe(false);
  });
});

describe('what may have run', () => {
  it.each<[Phase, boolean]>([
    ['resolve', false],
    ['connect', false],
    ['tls', false],
    ['send', true],
    ['wait', true],
    ['body', true],
  ])('a reset in phase %s: %s', (phase, mayHaveRun) => {
    const error = coded('ECONNRESET', 'read ECONNRESET', { syscall: 'read' });
    expect(classify({ ...sent, phase, error }).mayHaveRun).toBe(mayHaveRun);
    expect(classify({ ...sent, phase, error, unsent: true }).mayHaveRun).toBe(false);
    expect(classify({ ...sent, phase, error, answered: true }).mayHaveRun).toBe(true);
  });

  it('a refused stream did not run, unless something was answered', () => {
    const error = coded('ERR_HTTP2_STREAM_ERROR', 'Stream closed with error code NGHTTP2_REFUSED_STREAM');
    expect(classify({ ...sent, error }).mayHaveRun).toBe(false);
    expect(classify({ ...sent, error, answered: true }).mayHaveRun).toBe(true);
  });

  it('a connect error of somebody else, while our request is being sent, is no proof', () => {
    const error = coded('ECONNREFUSED', 'connect ECONNREFUSED', { syscall: 'connect' });
    expect(classify({ ...sent, phase: 'send', error })).toMatchObject({ phase: 'send', mayHaveRun: true });
    expect(classify({ ...sent, phase: 'wait', error })).toMatchObject({ phase: 'connect', mayHaveRun: false });
  });
});

describe('the phase', () => {
  it('is proven by the system call', () => {
    expect(classify({ ...sent, error: coded('EMFILE', 'connect EMFILE', { syscall: 'connect' }) }).phase).toBe(
      'connect',
    );
    expect(classify({ ...sent, error: coded('ENOTFOUND', 'x', { syscall: 'getaddrinfo' }) }).phase).toBe('resolve');
    expect(classify({ ...sent, error: coded('ECONNRESET', 'x', { syscall: 'constructor' }) }).phase).toBe('wait');
  });
});

describe('a stale socket', () => {
  const reused: Observation = { ...sent, reusedSocket: true };

  it('is a reset or a close on a reused connection before any answer', () => {
    for (const error of [coded('ECONNRESET'), coded('UND_ERR_SOCKET', 'other side closed'), coded('EPIPE')]) {
      expect(classify({ ...reused, error }).staleSocket).toBe(true);
      expect(classify({ ...reused, error, answered: true })).not.toHaveProperty('staleSocket');
      expect(classify({ ...sent, error })).not.toHaveProperty('staleSocket');
    }
    expect(classify({ ...reused, error: coded('ERR_REKNIT_STALL') })).not.toHaveProperty('staleSocket');
  });
});

describe('a tag', () => {
  it('wins over every wrap above it', () => {
    const error = coded('ECONNRESET');
    tagFailure(error, digestFailure);
    const wrapped = coded('ENOSPC', 'disk', { cause: new Error('unzip failed', { cause: error }) });
    expect(failureOf(wrapped)).toBe(digestFailure);
    expect(classify({ ...sent, error: wrapped })).toBe(digestFailure);
  });

  it('on a wrap wins over the tag of its cause', () => {
    const cause = new Error('cut');
    tagFailure(cause, { ...digestFailure, kind: 'reset' });
    const error = new Error('changed', { cause });
    tagFailure(error, digestFailure);
    expect(failureOf(error)).toBe(digestFailure);
  });

  it('cannot be seen, and is known to another copy of the package', () => {
    const error = new Error('x');
    tagFailure(error, digestFailure);
    expect(Object.keys(error)).toEqual([]);
    expect(Reflect.get(error, Symbol.for('reknit.failure'))).toBe(digestFailure);
  });

  it('on a frozen error or a hostile proxy is no crash', () => {
    const frozen = Object.freeze(new Error('x'));
    tagFailure(frozen, digestFailure);
    expect(failureOf(frozen)).toBeUndefined();
    const refuse = (): never => {
      throw new Error('no');
    };
    const hostile = new Proxy(new Error('x'), { get: refuse, defineProperty: refuse });
    tagFailure(hostile, digestFailure);
    expect(failureOf(hostile)).toBeUndefined();
    expect(classify({ ...sent, error: hostile }).kind).toBe('unknown');
  });

  it('lends its verdict, but not its proof, to another request of the same connection', () => {
    const error = coded('ECONNRESET');
    tagFailure(error, classify({ ...sent, error, unsent: true }));
    expect(failureOf(error)?.mayHaveRun).toBe(false);
    expect(classify({ ...sent, error })).toMatchObject({ kind: 'reset', mayHaveRun: true });
  });

  it('of a failed connect proves the same for every request that waited for it', () => {
    const error = coded('ECONNREFUSED', 'connect ECONNREFUSED', { syscall: 'connect' });
    tagFailure(error, classify({ ...sent, phase: 'connect', error, unsent: true }));
    expect(classify({ ...sent, error }).mayHaveRun).toBe(false);
  });
});

describe('proxies', () => {
  const answer = (statusCode: number, openTunnels: number, more: object = {}) =>
    classify({ ...sent, phase: 'connect', error: coded('ERR_REKNIT_PROXY', '', { statusCode, openTunnels, ...more }) });

  it.each([
    [407, 5, 'proxy-auth', false],
    [403, 1, 'proxy-throttled', true],
    [403, 0, 'proxy-refused', false],
    [429, 0, 'proxy-throttled', true],
    [404, 1, 'proxy-refused', false],
    [500, 0, 'proxy-unavailable', true],
    [502, 0, 'proxy-unavailable', true],
    [503, 0, 'proxy-unavailable', true],
    [504, 0, 'proxy-unavailable', true],
    [0, 0, 'proxy-refused', false],
    [302, 0, 'proxy-refused', false],
  ])('CONNECT answered %i with %i other tunnels open is %s', (status, openTunnels, kind, transient) => {
    expect(answer(status, openTunnels)).toMatchObject({ origin: 'proxy', kind, transient, status, mayHaveRun: false });
  });

  it('hand on their pushback', () => {
    expect(answer(429, 0, { pushbackMs: 3_000 }).pushbackMs).toBe(3_000);
    expect(answer(429, 0)).not.toHaveProperty('pushbackMs');
  });

  it('are never mistaken for an abort of the caller', () => {
    const error = coded('UND_ERR_ABORTED', 'Proxy response (407) !== 200 when HTTP Tunneling');
    expect(classify({ ...sent, error })).toMatchObject({ kind: 'proxy-auth', status: 407 });
  });
});

describe('what a consumer throws', () => {
  it.each(['ECONNRESET', 'other side closed', 'the download was aborted', 'read ECONNRESET', 'fetch failed'])(
    'is no network failure for its text: %s',
    (message) => {
      expect(classify({ ...sent, error: new Error(message) })).toMatchObject({ kind: 'unknown', transient: false });
    },
  );

  it('is no network failure for its text if it has a code of its own', () => {
    expect(classify({ ...sent, error: coded('ERR_MY_LIBRARY', 'socket hang up') }).kind).toBe('unknown');
  });
});

describe('an unknown error', () => {
  it('says its message in one line, without credentials', () => {
    const error = coded('E_WHAT', 'cannot read https://user:secret@host/\nsecond line');
    const failure = classify({ ...sent, error });
    expect(failure).toMatchObject({ origin: 'unknown', transient: false, code: 'E_WHAT' });
    expect(failure.what).toBe('cannot read https://***@host/');
    expect(classify({ ...sent, error: new Error('x'.repeat(10_000)) }).what).toHaveLength(201);
  });

  it.each([[undefined], [null], ['text'], [42], [Symbol('s')], [() => 1], [{}], [[]], [Object.create(null)]])(
    'may be anything: %o',
    (error) => {
      const failure = classify({ ...sent, error });
      expect(failure.kind).toBe('unknown');
      expect(failure.what).not.toBe('');
    },
  );

  it('is never a reason to throw', () => {
    const phases: Phase[] = ['resolve', 'connect', 'tls', 'send', 'wait', 'body'];
    fc.assert(
      fc.property(fc.anything({ maxDepth: 4 }), fc.constantFrom(...phases), fc.boolean(), (error, phase, unsent) => {
        const failure = classify({ ...sent, error, phase, unsent });
        expect(failure.transient && failure.kind === 'unknown').toBe(false);
      }),
    );
  });
});

it('DOMExceptions of an AbortSignal are the caller’s', () => {
  const signal = AbortSignal.abort();
  expect(classify({ ...sent, error: signal.reason })).toMatchObject({ origin: 'caller', kind: 'aborted' });
  const timeout = new DOMException('The operation was aborted due to timeout', 'TimeoutError');
  expect(rowOf(timeout, 'wait')?.id).toBe('aborted-by-signal');
});
