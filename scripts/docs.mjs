// Writes the pages that are made from the code: docs/failures.md, docs/explain.md, docs/run.md and docs/options.md.
import { readFileSync, writeFileSync } from 'node:fs';
import { failureTable, optionRows } from '../dist/core/index.js';
import { causes, experiments, explainTable, likelihoods, verdictOf } from '../dist/diagnose/index.js';
import { variableOf } from '../dist/http/index.js';
import { verdictOfRow } from '../dist/run/judge.js';
import { recognisers } from '../dist/run/recognisers.js';
import { runTools } from '../dist/run/run-tools.js';
import { viaRows } from '../dist/run/via-rows.js';
import { renderCauses, renderExperiments, replaceBetween } from './render-diagnose.mjs';
import { renderExplain } from './render-explain.mjs';
import { renderFailures } from './render-failures.mjs';
import { renderOptions } from './render-options.mjs';
import { renderRun } from './render-run.mjs';

writeFileSync('docs/failures.md', renderFailures(failureTable));
writeFileSync('docs/options.md', renderOptions(optionRows, variableOf));
writeFileSync('docs/explain.md', renderExplain(explainTable, verdictOf));
const diagnosePage = readFileSync('docs/diagnose.md', 'utf8');
const withCauses = replaceBetween(diagnosePage, 'causes', renderCauses(causes, likelihoods));
writeFileSync('docs/diagnose.md', replaceBetween(withCauses, 'experiments', renderExperiments(experiments)));
writeFileSync('docs/run.md', renderRun(runTools, recognisers, verdictOfRow, viaRows));
