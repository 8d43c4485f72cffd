/** What is done with answers that nobody will read: the connection is kept where that is cheap. */
import {
  type Attempt,
  MAX_DRAIN_BYTES,
  MAX_DRAIN_MS,
  MAX_ERROR_BODY_BYTES,
  parseLength,
  readableText,
} from '../core/index.ts';
import type { Clock } from '../runtime/index.ts';
import type { HopHandler } from './hop-handler.ts';
import type { PickedFields } from './response-fields.ts';

function isLong(fields: PickedFields): boolean {
  return (parseLength(fields.contentLength) ?? 0) > MAX_DRAIN_BYTES;
}

/** Reads a small rest so that the connection can be kept, and cuts one that is long or does not come. */
export function discard(hop: HopHandler, fields: PickedFields, clock: Clock): void {
  if (isLong(fields)) hop.kill();
  else hop.drain(MAX_DRAIN_BYTES, clock, MAX_DRAIN_MS);
}

/**
 * The same for an answer whose beginning says what is wrong: it goes into the ledger.
 *
 * @param onText called once, with '' for a body that says nothing to a person
 */
export function discardAnswer(
  hop: HopHandler,
  fields: PickedFields,
  attempt: Attempt,
  clock: Clock,
  onText: (text: string) => void,
): void {
  hop.onFirstBytes = (bytes) => {
    const text = readableText(bytes);
    if (text !== '') attempt.answerText = text;
    onText(text);
  };
  hop.drain(isLong(fields) ? MAX_ERROR_BODY_BYTES : MAX_DRAIN_BYTES, clock, MAX_DRAIN_MS);
}
