/** What an attempt comes to, as the driver passes it on. */
import type { Failure, Integrity, Step } from '../core/index.ts';
import type { Reader } from './reader.ts';

/** A failed attempt; `step` where the decision about it had to be made early. */
export interface Trouble {
  readonly kind: 'trouble';
  readonly failure: Failure;
  readonly error: unknown;
  readonly step?: Step;
}

/** What one read of the body came to. */
export type BodyStep =
  | { readonly kind: 'more' }
  | { readonly kind: 'deliver'; readonly chunk: Uint8Array }
  | { readonly kind: 'end'; readonly integrity: Integrity }
  | Trouble;

/** Trouble that we saw ourselves, behind which there is no error of the platform's. */
export function troubleOf(failure: Failure): Trouble {
  return { kind: 'trouble', failure, error: undefined };
}

/** The clean end of an answer, where it is one. */
export function endOf(reader: Reader): BodyStep {
  const proof = reader.proveEnd();
  return typeof proof === 'string' ? { kind: 'end', integrity: proof } : troubleOf(proof);
}
