import type { FailureKind, Origin, Phase } from './failure.ts';

/** One known signature of trouble: how to know it, what it means, and why it means that. */
export interface FailureRow {
  /** Stable, unique, kebab-case. */
  readonly id: string;
  readonly match: SignatureMatch;
  readonly failure: RowVerdict;
  /** Why the verdict is what it is: for whoever doubts it. */
  readonly why: string;
  /** Where a person meets it. */
  readonly seen: string;
  /** An error as it was observed; the tests make it and expect this row. */
  readonly sample: ErrorSample;
}

/**
 * What an error must show; everything that is given must hold. A row without `codes`, `h2Codes`, `tlsReasons` or `proxy`
 * fits only errors without a code: text alone never overrides a code, and never speaks for a library that has codes.
 */
export interface SignatureMatch {
  /** Any of these; one that ends in `*` stands for every code that begins so. */
  readonly codes?: readonly string[];
  /** Any of these `error.name`s. */
  readonly names?: readonly string[];
  /** Any of these system calls; `*` as in `codes`. */
  readonly syscalls?: readonly string[];
  readonly messagePattern?: RegExp;
  /** Only while the attempt is in one of these phases. */
  readonly phases?: readonly Phase[];
  /** HTTP/2 error codes by name, RFC 9113 7: `REFUSED_STREAM`. */
  readonly h2Codes?: readonly string[];
  /** OpenSSL reasons in one spelling for all versions: `ALERT_INTERNAL_ERROR`, `WRONG_VERSION_NUMBER`. */
  readonly tlsReasons?: readonly string[];
  /** A proxy's own answer to CONNECT. */
  readonly proxy?: ProxyMatch;
}

export interface ProxyMatch {
  /** From this status to `toStatus`, both included. */
  readonly fromStatus: number;
  readonly toStatus: number;
  /** Whether other tunnels of ours through this proxy were open; both, if not given. */
  readonly otherTunnels?: 'some' | 'none';
}

export interface RowVerdict {
  readonly origin: Origin;
  readonly kind: FailureKind;
  readonly transient: boolean;
  /** Given where the signature itself proves the phase: `getaddrinfo` is a lookup, whoever reports it. */
  readonly phase?: Phase;
  /** The signature itself proves that the server did not act, beyond what the phase proves. */
  readonly unsent?: true;
  /** A short phrase for a person: `connection reset`. */
  readonly what: string;
}

export interface ErrorSample {
  readonly message: string;
  readonly code?: string;
  readonly name?: string;
  readonly syscall?: string;
  readonly statusCode?: number;
  readonly openTunnels?: number;
  /** The phase it was observed in. @default 'wait' */
  readonly phase?: Phase;
}
