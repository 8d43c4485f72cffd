/**
 * Generated tests draw the same cases on every machine, so that a red run is a change that broke something, and not a draw.
 * `REKNIT_SEED=7 npm test` draws others; the long commands (`npm run simulate-faults`, `npm run crash-test`) draw many.
 */
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';

const { testPath } = expect.getState();

if (testPath !== undefined && readFileSync(testPath, 'utf8').includes('fast-check')) {
  const { default: fc } = await import('fast-check');
  fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(process.env.REKNIT_SEED ?? 20261128) });
}
