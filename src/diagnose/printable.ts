import { redactUrl } from '../core/index.ts';

/** Foreign text as it may be shown: what a certificate or a header says must not move a terminal's cursor, or hold a credential. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  return redactUrl(text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g, ' '));
}
