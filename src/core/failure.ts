/**
 * A failure is an attempt's bad end as classified data. It is made once, at the socket, by whoever saw the trouble
 * first; whoever wraps the error later (an unzip library, a JSON parser) cannot change the verdict.
 */

/** Where an attempt was when it failed. */
export type Phase = 'resolve' | 'connect' | 'tls' | 'send' | 'wait' | 'body';

/** Whose trouble it was. */
export type Origin =
  /** Name lookup. */
  | 'dns'
  /** The transport: refused, reset, closed, unreachable. */
  | 'tcp'
  /** Handshake, alerts, certificates, records. */
  | 'tls'
  /** A forward proxy between us and the origin, by its own answer. */
  | 'proxy'
  /** HTTP framing: not HTTP, bad chunks, fewer or more bytes than announced. */
  | 'http'
  /** The HTTP status of a complete answer. */
  | 'status'
  /** A resume whose answer cannot be joined to what was delivered. */
  | 'resume'
  /** Bytes that do not match a digest or a length known beforehand. */
  | 'integrity'
  /** A content-coding (gzip, br) that is damaged or ends early. */
  | 'decoder'
  /** One of our own clocks: connect, headers, stall, trickle. */
  | 'clock'
  /** This machine: file descriptors, permissions, disk. */
  | 'local'
  /** The caller's own code that reads the body. */
  | 'consumer'
  /** The caller's request: invalid, or aborted. */
  | 'caller'
  /** Not known; never repeated on a guess. */
  | 'unknown';

/** What happened, in one word of the table. */
export type FailureKind =
  | 'name-not-found'
  | 'name-lookup-failed'
  | 'refused'
  | 'unreachable'
  | 'reset'
  | 'closed'
  | 'timed-out'
  | 'tls-handshake'
  | 'tls-alert'
  | 'tls-record'
  | 'tls-protocol'
  | 'certificate'
  | 'proxy-auth'
  | 'proxy-refused'
  | 'proxy-throttled'
  | 'proxy-unavailable'
  | 'bad-http'
  | 'bad-chunking'
  | 'headers-too-large'
  | 'truncated'
  | 'too-long'
  | 'h2-refused'
  | 'h2-goaway'
  | 'h2-calm'
  | 'h2-stream-error'
  | 'h2-needs-http1'
  | 'status'
  | 'throttled'
  | 'suspicious'
  | 'bad-resume'
  | 'content-changed'
  | 'digest-mismatch'
  | 'decoding'
  | 'connect-timeout'
  | 'headers-timeout'
  | 'stall'
  | 'trickle'
  | 'too-many-files'
  | 'local'
  | 'consumer'
  | 'invalid-request'
  | 'redirect-loop'
  | 'aborted'
  | 'unknown';

/** An attempt's bad end as classified data. */
export interface Failure {
  readonly origin: Origin;
  readonly phase: Phase;
  readonly kind: FailureKind;
  /** Another attempt may succeed. Says nothing about whether one is allowed: that is the decision's. */
  readonly transient: boolean;
  /** The server may have acted on the request. `false` only with proof. */
  readonly mayHaveRun: boolean;
  /** The errno or library code that was seen, `ECONNRESET`, `UND_ERR_SOCKET`; for a person to search for. */
  readonly code?: string;
  /** The HTTP status, where there was one: the origin's, or with origin `proxy` the proxy's. */
  readonly status?: number;
  /** The attempt used a connection that had been idle, and not one byte of an answer came: likely a stale socket. */
  readonly staleSocket?: boolean;
  /** The server's wish to be left alone, ms from now, as parsed from `Retry-After` and its kin. */
  readonly pushbackMs?: number;
  /** Identifies deterministic trouble: the same mark twice stops the request. */
  readonly mark?: string;
  /** A short phrase for a person, from the table or the place of detection: `connection reset`. */
  readonly what: string;
}
