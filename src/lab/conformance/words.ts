/** The words for what became of a scenario; the same in the table, the page and docs/conformance.md. */
import type { ScenarioResult } from './play-scenario.ts';
import type { LeftOut, Scorecard } from './scorecard.ts';
import type { Judgement, Verdict } from './verdict-of.ts';

/** What lies is written so that nobody reads over it. */
export const verdictWords: Readonly<Record<Verdict, string>> = {
  healed: 'healed',
  'failed-safely': 'failed safely',
  hung: 'HUNG',
  corrupt: 'CORRUPT',
};

export const marks: Readonly<Record<Judgement, string>> = { right: '✓', safe: '~', wrong: '✗' };

/**
 * Whole, well-formed answers with other bytes in them: who is told the URL only can at most be suspicious, or, of an end
 * that nothing tells, ask for what follows.
 */
const untellable: ReadonlySet<string> = new Set([
  'empty-200',
  'close-fin',
  'captive-portal',
  '206-wrong-bytes',
  'change-under-same-etag',
  'length-too-short',
]);

/** Why the mark is what it is, where the verdict alone does not say it. */
export function remarksOn(result: ScenarioResult): readonly string[] {
  return [...judgementOf(result), ...leftOf(result), ...(result.faultMet ? [] : ['the fault was not met'])];
}

function judgementOf({ judgement, verdict, expect }: ScenarioResult): readonly string[] {
  if (judgement === 'safe') return ['could have healed'];
  if (judgement === 'wrong' && verdict === 'healed') return ['accepted what must be refused'];
  return judgement === 'right' && expect === 'fails' ? ['nobody can heal this'] : [];
}

function leftOf({ scenario, verdict, left, end }: ScenarioResult): readonly string[] {
  if (verdict === 'corrupt') {
    const what = { nothing: 'there is no file', part: 'only a part of the file', other: 'other bytes', whole: '' }[
      left
    ];
    return untellable.has(scenario) ? [what, 'only a digest can tell'] : [what];
  }
  if (verdict !== 'failed-safely') return [];
  const behind = left === 'part' ? ['leaves a part'] : left === 'other' ? ['leaves wrong bytes'] : [];
  return end.kind === 'crashed' ? [`ended by ${end.by}`, ...behind] : behind;
}

/** `71 right, 12 safe, 3 wrong (2 corrupt, 1 hung), 15 left out` */
export function describeCounts({ judgements, verdicts, leftOut, results }: Scorecard): string {
  const accepted = results.filter(({ judgement, verdict }) => judgement === 'wrong' && verdict === 'healed').length;
  const kinds = [
    verdicts.corrupt > 0 ? [`${verdicts.corrupt} corrupt`] : [],
    verdicts.hung > 0 ? [`${verdicts.hung} hung`] : [],
    accepted > 0 ? [`${accepted} accepted`] : [],
  ].flat();
  const wrong = `${judgements.wrong} wrong${kinds.length === 0 ? '' : ` (${kinds.join(', ')})`}`;
  const out = leftOut.length === 0 ? '' : `, ${leftOut.length} left out`;
  return `${judgements.right} right, ${judgements.safe} safe, ${wrong}${out}`;
}

/** 350 → `350 ms`; 7312 → `7.3 s`. */
export function durationText(ms: number): string {
  return ms < 1_000 ? `${ms} ms` : `${(ms / 1_000).toFixed(1)} s`;
}

export function requestsText(count: number): string {
  return count === 1 ? '1 request' : `${count} requests`;
}

export function ratioText(ratio: number): string {
  return `${ratio.toFixed(2)}×`;
}

/** What was left out by its reason: names, or `all N of FAMILY`. */
export function reasonsOf(card: Scorecard): ReadonlyMap<string, readonly string[]> {
  const reasons = [...new Set(card.leftOut.map(({ reason }) => reason))];
  return new Map(
    reasons.map((reason) => [
      reason,
      summed(
        card.leftOut.filter((item) => item.reason === reason),
        card,
      ),
    ]),
  );
}

function summed(items: readonly LeftOut[], { leftOut, results }: Scorecard): readonly string[] {
  const families = [...new Set(items.map(({ family }) => family))];
  return families.flatMap((family) => {
    const ours = items.filter((item) => item.family === family);
    const isWhole =
      ours.length > 3 &&
      !results.some((result) => result.family === family) &&
      ours.length === leftOut.filter((item) => item.family === family).length;
    return isWhole ? [`all ${ours.length} of ${family}`] : ours.map(({ scenario }) => scenario);
  });
}
