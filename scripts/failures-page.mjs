// Writes docs/failures.md from the built table: `npm run build && node scripts/failures-page.mjs`.
import { mkdirSync, writeFileSync } from 'node:fs';
import { failureTable } from '../dist/core/index.js';
import { renderFailures } from './render-failures.mjs';

const page = new URL('../docs/failures.md', import.meta.url);
mkdirSync(new URL('.', page), { recursive: true });
writeFileSync(page, renderFailures(failureTable));
