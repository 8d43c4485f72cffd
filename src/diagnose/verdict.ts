/** What core says about a row: the one place where the texts of tools meet the failure table. */
import {
  defaultTransientStatuses,
  type Failure,
  type FailureRow,
  failureTable,
  type Phase,
  rowOf,
  statusVerdict,
} from '../core/index.ts';
import type { ExplainRow } from './explain-row.ts';

/** A failure as far as a text tells it: its phase may be unknown. */
export type Verdict = Pick<Failure, 'origin' | 'kind' | 'transient' | 'what'> & {
  readonly phase: Phase | undefined;
  /** `false` only with proof, as everywhere. */
  readonly mayHaveRun: boolean;
  /** The row of the failure table, where one decided. */
  readonly coreRow?: string;
  readonly code?: string;
  readonly status?: number;
};

const rowById = new Map(failureTable.map((row) => [row.id, row]));

export function coreRowOf(id: string): FailureRow {
  const row = rowById.get(id);
  if (row === undefined) throw new Error(`core knows no failure ${id}`);
  return row;
}

/** `undefined` where the text gives no reason. */
export function verdictOf(row: ExplainRow, status: number | undefined, phase: Phase | undefined): Verdict | undefined {
  const { join } = row;
  switch (join.kind) {
    case 'none':
      return undefined;
    case 'row':
      return fromCore(row, coreRowOf(join.row), phase, status);
    case 'code':
      return { ...fromCore(row, coreRowOfCode(join.code, join.row, phase), phase, undefined), code: join.code };
    case 'status':
      return fromStatus(row, join.status ?? status ?? 500);
    case 'observed':
      return {
        origin: join.origin,
        kind: join.failureKind,
        transient: join.transient,
        phase: phase ?? row.phase,
        mayHaveRun: true,
        what: row.what ?? 'the file is not the expected one',
      };
  }
}

/** An errno means another thing while connecting than later; core's own rules tell. */
function coreRowOfCode(code: string, plain: string, phase: Phase | undefined): FailureRow {
  if (phase === undefined) return coreRowOf(plain);
  const syscall = phase === 'connect' ? { syscall: 'connect' } : {};
  return rowOf({ code, message: '', ...syscall }, phase) ?? coreRowOf(plain);
}

function fromCore(row: ExplainRow, core: FailureRow, observed: Phase | undefined, status: number | undefined): Verdict {
  const { origin, kind, transient, unsent } = core.failure;
  const phase = core.failure.phase ?? observed ?? row.phase;
  const isEarly = phase === 'resolve' || phase === 'connect' || phase === 'tls';
  return {
    origin,
    kind,
    transient,
    phase,
    mayHaveRun: !(unsent === true || isEarly),
    what: row.what ?? core.failure.what,
    coreRow: core.id,
    ...(status === undefined ? {} : { status }),
  };
}

function fromStatus(row: ExplainRow, status: number): Verdict {
  const facts = { transientStatuses: defaultTransientStatuses, pushbackMs: undefined };
  const { origin, kind, transient, phase, mayHaveRun, what } = statusVerdict(status, facts)!;
  return { origin, kind, transient, phase: row.phase ?? phase, mayHaveRun, status, what: row.what ?? what };
}
