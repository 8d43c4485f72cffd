// Writes the pages that are made from the code: docs/failures.md, docs/explain.md, docs/run.md and docs/options.md.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { rolldown } from 'rolldown';
import { failureTable, optionRows } from '../dist/core/index.js';
import { causes, experiments, explainTable, likelihoods, verdictOf } from '../dist/diagnose/index.js';
import { variableOf } from '../dist/http/index.js';
import { renderCauses, renderExperiments, replaceBetween } from './render-diagnose.mjs';
import { renderExplain } from './render-explain.mjs';
import { renderFailures } from './render-failures.mjs';
import { renderOptions } from './render-options.mjs';
import { renderRun } from './render-run.mjs';

const { verdictOfRow, recognisers, runTools, viaRows } = await tablesOfRun();

writeFileSync('docs/failures.md', renderFailures(failureTable));
writeFileSync('docs/options.md', renderOptions(optionRows, variableOf));
writeFileSync('docs/explain.md', renderExplain(explainTable, verdictOf));
const diagnosePage = readFileSync('docs/diagnose.md', 'utf8');
const withCauses = replaceBetween(diagnosePage, 'causes', renderCauses(causes, likelihoods));
writeFileSync('docs/diagnose.md', replaceBetween(withCauses, 'experiments', renderExperiments(experiments)));
writeFileSync('docs/run.md', renderRun(runTools, recognisers, verdictOfRow, viaRows));

/** They are behind no door: made into modules of their own, for as long as they are read. */
async function tablesOfRun() {
  const names = ['judge', 'recognisers', 'run-tools', 'via-rows'];
  const dir = 'dist/docs-part';
  const bundle = await rolldown({
    input: Object.fromEntries(names.map((name) => [name, `src/run/${name}.ts`])),
    platform: 'node',
    external: (id) => !id.startsWith('.') && !id.startsWith('src/') && !id.startsWith('/'),
    tsconfig: false,
    logLevel: 'warn',
  });
  try {
    await bundle.write({ dir, format: 'esm', entryFileNames: '[name].js' });
    const modules = await Promise.all(names.map((name) => import(`../${dir}/${name}.js`)));
    return Object.assign({}, ...modules);
  } finally {
    await bundle.close();
    rmSync(dir, { recursive: true, force: true });
  }
}
