import type { FailureRow } from '../src/core/failure-row.ts';

export function renderFailures(table: readonly FailureRow[]): string;
