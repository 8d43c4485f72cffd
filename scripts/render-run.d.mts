import type { verdictOfRow } from '../src/run/judge.ts';
import type { Recogniser } from '../src/run/recogniser.ts';
import type { RunTool } from '../src/run/run-tools.ts';
import type { ViaRow } from '../src/run/via-rows.ts';

export function renderRun(
  tools: readonly RunTool[],
  rows: readonly Recogniser[],
  judge: typeof verdictOfRow,
  viaRows: readonly ViaRow[],
): string;
