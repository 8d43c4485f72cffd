/** What tools really print, explained by the right row: the samples were written first and are kept apart from the rows. */
import { describe, expect, it } from 'vitest';
import type { Sample } from '../../test/explain/sample.ts';
import { samples } from '../../test/explain/samples.ts';
import { explain } from './explain.ts';

const MIN_SAMPLES = 60;
const MIN_RIGHT_RATIO = 0.95;

async function told({ text }: Sample): Promise<string> {
  const explanation = await explain(text);
  return explanation.kind === 'unknown' ? 'unknown' : explanation.causes[0]!.id;
}

describe('the samples', () => {
  it(`are at least ${MIN_SAMPLES}, of every tool, each with the place where it is documented`, () => {
    expect(samples.length).toBeGreaterThanOrEqual(MIN_SAMPLES);
    for (const { documented, text } of samples) expect([documented.length > 5, text.length > 4]).toEqual([true, true]);
    const printers = new Set(samples.map(({ by }) => by.split(' ', 1)[0]));
    const wanted =
      'node python rust go java curl wget git pip uv cargo npm pnpm yarn apt docker openssl nginx haproxy squid';
    for (const printer of wanted.split(' ')) expect(printers, printer).toContain(printer);
  });

  it('are explained by the right row in at least 95 of 100', async () => {
    const wrong: string[] = [];
    for (const sample of samples) {
      const row = await told(sample);
      if (row !== sample.row)
        wrong.push(`${sample.by}: expected ${sample.row}, told ${row}: ${sample.text.slice(0, 90)}`);
    }
    const rightCount = samples.length - wrong.length;
    console.log(`explain: ${rightCount} of ${samples.length} samples by the right row${['', ...wrong].join('\n  ')}`);
    expect(rightCount / samples.length).toBeGreaterThanOrEqual(MIN_RIGHT_RATIO);
  });

  it('are explained in the phase that they prove, and in no other', async () => {
    const wrong: string[] = [];
    for (const sample of samples) {
      const explanation = await explain(sample.text);
      const phase = explanation.kind === 'explained' ? explanation.causes[0]!.phase : undefined;
      if (phase !== sample.phase)
        wrong.push(`${sample.by} ${sample.row}: ${sample.phase} ${phase}: ${sample.text.slice(0, 70)}`);
    }
    expect(wrong).toEqual([]);
  });
});
