// Writes the pages that are made from the code: docs/failures.md, docs/explain.md and docs/options.md.
import { writeFileSync } from 'node:fs';
import { failureTable, optionRows } from '../dist/core/index.js';
import { explainTable, verdictOf } from '../dist/diagnose/index.js';
import { variableOf } from '../dist/http/index.js';
import { renderExplain } from './render-explain.mjs';
import { renderFailures } from './render-failures.mjs';
import { renderOptions } from './render-options.mjs';

writeFileSync('docs/failures.md', renderFailures(failureTable));
writeFileSync('docs/options.md', renderOptions(optionRows, variableOf));
writeFileSync('docs/explain.md', renderExplain(explainTable, verdictOf));
