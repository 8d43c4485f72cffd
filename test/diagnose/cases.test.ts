/** What is the matter, said of servers whose trouble is known: a part of the cases; `npm run diagnose-matrix` plays all. */
import { describe, expect, test } from 'vitest';
import { cases } from './cases.ts';
import { judgeCase } from './play.ts';
import type { Case } from './scenario.ts';

const quick = cases.filter(({ isQuick }) => isQuick === true);
const isHealthy = ({ expect: [cause] }: Case) => cause === 'nothing-wrong';

describe('the cause is found, and named first', () => {
  for (const one of quick.filter((candidate) => !isHealthy(candidate))) {
    test.skipIf(one.missing !== undefined).concurrent(`${one.name}: ${one.what}`, { timeout: 90_000 }, async () => {
      const judged = await judgeCase(one, 1);
      expect(judged.verdict, judged.steps.join('\n')).toBe('right');
      expect(judged.requestCount).toBeLessThanOrEqual(60);
    });
  }
});

describe('a healthy server is called healthy, after fifteen requests at most', () => {
  for (const one of quick.filter(isHealthy)) {
    test.skipIf(one.missing !== undefined).concurrent(`${one.name}: ${one.what}`, { timeout: 90_000 }, async () => {
      const judged = await judgeCase(one, 1);
      expect(judged.verdict, judged.steps.join('\n')).toBe('right');
      expect(judged.requestCount).toBeLessThanOrEqual(15);
    });
  }
});
