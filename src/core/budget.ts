/**
 * The retry budget: a cap on retries relative to first attempts, shared by a client, so that an outage is not answered
 * by a multiple of the load (as in Finagle's RetryBudget and gRPC's retry throttling, gRFC A6).
 *
 * The law: over any stretch, retries ≤ capacity + ratio · first attempts. Nothing is refilled by time alone: a floor per
 * client would add up over a fleet.
 */
export interface BudgetOptions {
  /** Retries earned by one first attempt, 0..1. */
  readonly ratio: number;
  /** The most that can be saved up, and what a new client starts with; in retries. */
  readonly capacity: number;
}

export interface Budget {
  /** Counts a first attempt, or one that made progress. */
  earn(): void;
  hasOne(): boolean;
  spend(): void;
  /** Retries that could be made at once. */
  readonly saved: number;
}

export function createBudget({ ratio, capacity }: BudgetOptions): Budget {
  let saved = capacity;
  return {
    earn: () => {
      saved = Math.min(capacity, saved + ratio);
    },
    // Sums of 0.2 fall short of 1 by rounding; a billionth of a retry is not worth a refusal.
    hasOne: () => saved >= 1 - 1e-9,
    spend: () => {
      saved = Math.max(0, saved - 1);
    },
    get saved() {
      return saved;
    },
  };
}
