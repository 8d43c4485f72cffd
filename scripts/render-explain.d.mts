import type { ExplainRow } from '../src/diagnose/explain-row.ts';
import type { verdictOf } from '../src/diagnose/verdict.ts';

export function renderExplain(table: readonly ExplainRow[], judge: typeof verdictOf): string;
