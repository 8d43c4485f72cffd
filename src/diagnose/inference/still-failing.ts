/**
 * After so many that went well, the share of failures is below this with 95 % certainty, if they come by chance: about
 * 3 / n, the rule of three (Hanley and Lippman-Hand, 1983). Pure.
 */
export function mostStillFailing(goodInARow: number): number {
  return goodInARow < 1 ? 1 : 1 - 0.05 ** (1 / goodInARow);
}
