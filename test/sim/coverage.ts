/** Which cells of phase × failure × decision a set of schedules has reached. */
import type { Attempt } from '../../src/core/index.ts';
import type { Run } from './run-schedule.ts';

export class Coverage {
  readonly cells = new Map<string, number>();

  add({ sight, transport }: Run): void {
    for (const attempt of sight.ledger?.attempts ?? []) this.#count(cellOf(attempt));
    for (const { fault, answer } of transport.served) {
      if (fault.kind === 'lie' && answer !== undefined) this.#count(`served lie ${fault.how}`);
    }
    const { integrity, outcome } = sight.ledger ?? {};
    this.#count(`end ${outcome ?? 'unknown'}${integrity === undefined ? '' : ` by ${integrity}`}`);
  }

  #count(cell: string | undefined): void {
    if (cell !== undefined) this.cells.set(cell, (this.cells.get(cell) ?? 0) + 1);
  }

  missing(expected: readonly string[]): string[] {
    return expected.filter((cell) => !this.cells.has(cell));
  }

  table(): string {
    const rows = [...this.cells].toSorted(([left], [right]) => (left < right ? -1 : 1));
    return rows.map(([cell, count]) => `${String(count).padStart(8)}  ${cell}`).join('\n');
  }
}

function cellOf({ failure, decision }: Attempt): string | undefined {
  if (failure === undefined || decision === undefined) return undefined;
  const how =
    decision.kind === 'give-up' ? decision.reason : decision.kind === 'resume' ? decision.plan.kind : decision.because;
  return `${failure.phase} × ${failure.kind} × ${decision.kind} ${how}`;
}
