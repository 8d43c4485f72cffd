import { isReknitError, type Ledger } from '../core/index.ts';

const ledgers = new WeakMap<object, Ledger>();

export function rememberLedger(answer: object, ledger: Ledger): void {
  ledgers.set(answer, ledger);
}

/**
 * What really happened to the request behind an answer or an error of reknit's, attempt by attempt. It is live: it grows
 * until the body has ended. Undefined for answers that did not come through reknit.
 */
export function ledgerOf(answerOrError: object): Ledger | undefined {
  const known = ledgers.get(answerOrError);
  if (known !== undefined) return known;
  let link: unknown = answerOrError;
  for (let depth = 0; depth < 8 && typeof link === 'object' && link !== null; depth += 1) {
    if (isReknitError(link)) return link.ledger;
    link = (link as { readonly cause?: unknown }).cause;
  }
  return undefined;
}
