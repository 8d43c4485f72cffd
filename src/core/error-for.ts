import { tagFailure } from './classify.ts';
import type { GiveUpReason } from './decide.ts';
import { ContentChangedError, DeadlineError, GaveUpError, IntegrityError, type ReknitError } from './errors.ts';
import type { Failure } from './failure.ts';
import type { Ledger } from './ledger.ts';
import { type BodyPlace, describeCauses, describeGiveUp } from './sentences.ts';

/** The error for a request that ends here. Its class is what a caller handles differently, its `reason` says why. */
export function errorFor(
  reason: GiveUpReason,
  failure: Failure,
  cause: unknown,
  ledger: Ledger,
  place: BodyPlace,
  nowMs: number,
): unknown {
  // The caller's own mistake, or the caller's own stream, is told in its own words.
  if (failure.origin === 'caller' && cause !== undefined) return cause;
  const first = describeGiveUp(reason, failure, ledger, place, nowMs);
  const message = [first, ...describeCauses({ cause })].join('\n');
  const error = createError(reason, failure, message, { cause, ledger, failure });
  tagFailure(error, failure);
  return error;
}

function createError(
  reason: GiveUpReason,
  failure: Failure,
  message: string,
  parts: { readonly cause: unknown; readonly ledger: Ledger; readonly failure: Failure },
): ReknitError {
  if (reason === 'content-changed') return new ContentChangedError(message, parts);
  if (reason === 'deadline') return new DeadlineError(message, parts);
  if (failure.origin === 'integrity' || failure.origin === 'decoder') return new IntegrityError(message, parts);
  return new GaveUpError(reason, message, parts);
}
