// Rounds of all contenders, interleaved, with an order that rotates; and what a reader wants to know of them.

/** @returns samples by label, one per round; samples of one round belong together */
export async function interleave(labels, rounds, runOne, onRound) {
  const samples = Object.fromEntries(labels.map((label) => [label, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (let i = 0; i < labels.length; i += 1) {
      // Every second round backwards: a rotation alone would keep the same neighbour before everybody.
      const at = (round + (round % 2 === 0 ? i : labels.length - i)) % labels.length;
      const label = labels[at];
      samples[label].push(await runOne(label));
    }
    onRound?.(round + 1, rounds);
  }
  return samples;
}

export function median(values) {
  return quantile(values, 0.5);
}

export function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const low = Math.floor(at);
  const high = Math.ceil(at);
  return sorted[low] + (sorted[high] - sorted[low]) * (at - low);
}

/** Ratios of each round, of which the median and the middle half are told: what slows a whole round down falls out. */
export function compare(samples, label, baseline, field, invert = false) {
  const ratios = samples[label].map((sample, i) => {
    const [own, other] = [sample[field], samples[baseline][i][field]];
    return invert ? other / own : own / other;
  });
  return { ratio: median(ratios), low: quantile(ratios, 0.25), high: quantile(ratios, 0.75) };
}
