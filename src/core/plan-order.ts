/**
 * The order in which a round visits its upstreams: made once from one look at them all, and not changed by what happens
 * meanwhile.
 */

export interface Candidate {
  readonly index: number;
  /** Lower ones first; the others wait until all of a tier have failed. */
  readonly tier: number;
  /** Above 0; its share among those of its tier. */
  readonly weight: number;
  /** The part of its share that it gets now, after a return; above 0, up to 1. */
  readonly ramp: number;
  /** Requests that are on their way there now. */
  readonly inFlight: number;
  /** Moving average; undefined before the first answer. */
  readonly latencyMs: number | undefined;
  /** Requests that failed since the last one that ended well. */
  readonly consecutiveFailures: number;
  /** Out of service: asked when nobody else is left. */
  readonly isEjected: boolean;
  /** Its key or account was refused a while ago: asked after those that work. */
  readonly isBenched: boolean;
  /** This request is the one that tests whether it is back; it goes first, while there is somebody else to go to. */
  readonly isProbe: boolean;
}

/**
 * Probes, then those in service, then the benched, then the ejected; within these by tier; within a tier by weight and
 * load: of two drawn by weight the one with the smaller `(inFlight + 1) · latency` goes first (Mitzenmacher, "The power of
 * two choices", 2001; latency as in Finagle's peak EWMA balancer).
 *
 * The two are drawn with replacement: among equals the shares are then exactly the weights, and a slow one still gets the
 * square of its share, which shows when it is fast again.
 */
export function planOrder(candidates: readonly Candidate[], random: () => number): readonly number[] {
  if (candidates.length < 2) return candidates.map(({ index }) => index);
  const guessMs = fastest(candidates);
  const [first] = candidates;
  // Mostly all are well and of one tier.
  if (candidates.every((candidate) => rankOf(candidate) === rankOf(first!)))
    return orderByLoad([...candidates], guessMs, random);
  const groups = new Map<number, Candidate[]>();
  for (const candidate of candidates) {
    const rank = rankOf(candidate);
    const group = groups.get(rank);
    if (group === undefined) groups.set(rank, [candidate]);
    else group.push(candidate);
  }
  const ranks = [...groups.keys()].sort((left, right) => left - right);
  return ranks.flatMap((rank) => orderByLoad(groups.get(rank)!, guessMs, random));
}

/** Tiers are whole numbers from 0 to this. */
export const MAX_TIER = 999;

function rankOf({ isProbe, isEjected, isBenched, tier }: Candidate): number {
  const standing = isProbe ? 0 : isEjected ? 3 : isBenched ? 2 : 1;
  return standing * (MAX_TIER + 1) + tier;
}

/** Nothing is known of a new one; it is taken to be as good as the best, and its requests in flight still count. */
function fastest(candidates: readonly Candidate[]): number {
  let best = Number.POSITIVE_INFINITY;
  for (const { latencyMs } of candidates) if (latencyMs !== undefined) best = Math.min(best, latencyMs);
  return Number.isFinite(best) ? best : 1;
}

function orderByLoad(group: Candidate[], guessMs: number, random: () => number): number[] {
  const order: number[] = [];
  const left = group;
  while (left.length > 1) {
    const first = draw(left, random);
    const second = draw(left, random);
    const chosen = costOf(left[second]!, guessMs) < costOf(left[first]!, guessMs) ? second : first;
    order.push(left[chosen]!.index);
    left.splice(chosen, 1);
  }
  order.push(left[0]!.index);
  return order;
}

/** Who fails at once has nothing in flight, and would draw everybody to itself: each failure in a row makes it dearer. */
function costOf({ inFlight, latencyMs, consecutiveFailures }: Candidate, guessMs: number): number {
  // A floor, so that clocks which tick coarsely do not make requests in flight free.
  return (inFlight + 1) * (consecutiveFailures + 1) * Math.max(latencyMs ?? guessMs, MIN_LATENCY_MS);
}

const MIN_LATENCY_MS = 0.01;

function draw(candidates: readonly Candidate[], random: () => number): number {
  let total = 0;
  for (const { weight, ramp } of candidates) total += weight * ramp;
  let mark = random() * total;
  for (const [position, { weight, ramp }] of candidates.entries()) {
    mark -= weight * ramp;
    if (mark < 0) return position;
  }
  return candidates.length - 1;
}

/** The moving average with one more sample. A rise counts at once, a fall slowly: an overloaded one is noticed in time. */
export function nextLatencyMs(averageMs: number | undefined, sampleMs: number): number {
  if (averageMs === undefined || sampleMs > averageMs) return sampleMs;
  return averageMs + LATENCY_GAIN * (sampleMs - averageMs);
}

const LATENCY_GAIN = 0.3;
