import { isReknitError, type Ledger } from '../core/index.ts';

const ledgers = new WeakMap<object, Ledger>();

export function rememberLedger(answer: object, ledger: Ledger): void {
  ledgers.set(answer, ledger);
}

/**
 * What really happened to the request behind an answer or an error of a wrapped `fetch`, attempt by attempt. It is live: it
 * grows until the body has ended. A `fetch` follows redirects out of sight: of each attempt's chain the ledger has the
 * first hop and the last.
 *
 * @returns undefined for answers that did not come through `wrapFetch`, and for the reason of an abort
 * @example
 * ```ts
 * import { ledgerOf, wrapFetch } from 'reknit/fetch';
 * const heal = wrapFetch(globalThis.fetch);
 * const response = await heal('https://example.com/');
 * await response.text();
 * console.log(ledgerOf(response)?.attempts.length);
 * ```
 */
export function ledgerOf(answerOrError: object): Ledger | undefined {
  const known = ledgers.get(answerOrError);
  if (known !== undefined) return known;
  let link: unknown = answerOrError;
  for (let depth = 0; depth < MAX_CAUSES && typeof link === 'object' && link !== null; depth += 1) {
    if (isReknitError(link)) return link.ledger;
    link = (link as { readonly cause?: unknown }).cause;
  }
  return undefined;
}

const MAX_CAUSES = 8;
