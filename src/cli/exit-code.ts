/** What a process says with its exit code, from the error that ended the work: one table, the first row that fits. */
import { type Failure, failureOf } from '../core/index.ts';
import { Interruption } from './interruption.ts';

export const exitCodes = {
  done: 0,
  failed: 1,
  usage: 2,
  gaveUp: 3,
  refused: 4,
  integrity: 5,
  local: 6,
} as const;

interface Facts {
  readonly error: unknown;
  readonly code: string | undefined;
  readonly reason: string | undefined;
  readonly failure: Failure | undefined;
}

interface ExitRow {
  readonly exit: number;
  readonly when: (facts: Facts) => boolean;
}

const brokenKinds: ReadonlySet<string> = new Set([
  'certificate',
  'redirect-loop',
  'bad-http',
  'headers-too-large',
  'tls-protocol',
]);

const rows: readonly ExitRow[] = [
  { exit: exitCodes.usage, when: ({ code }) => code === 'ERR_REKNIT_CONFIG' },
  { exit: exitCodes.local, when: ({ code }) => code === 'ERR_REKNIT_LOCAL' },
  { exit: exitCodes.integrity, when: ({ code }) => code === 'ERR_REKNIT_INTEGRITY' },
  { exit: exitCodes.integrity, when: ({ code }) => code === 'ERR_REKNIT_CONTENT_CHANGED' },
  { exit: exitCodes.gaveUp, when: ({ code }) => code === 'ERR_REKNIT_DEADLINE' },
  { exit: exitCodes.local, when: ({ failure }) => failure?.origin === 'local' },
  { exit: exitCodes.integrity, when: ({ failure }) => failure?.kind === 'content-changed' },
  // The answer's own status, or a proxy's login: another run will be refused, too.
  { exit: exitCodes.refused, when: ({ failure }) => failure?.status !== undefined && !failure.transient },
  { exit: exitCodes.refused, when: ({ failure }) => failure?.kind === 'proxy-auth' },
  {
    exit: exitCodes.failed,
    when: ({ failure }) => failure !== undefined && brokenKinds.has(failure.kind) && !failure.transient,
  },
  { exit: exitCodes.failed, when: ({ reason }) => reason === 'permanent' },
  { exit: exitCodes.gaveUp, when: ({ code }) => code === 'ERR_REKNIT_GAVE_UP' },
];

export function exitCodeOf(error: unknown): number {
  if (error instanceof Interruption) return error.exitCode;
  const { code, reason } = error as { readonly code?: string; readonly reason?: string };
  const facts: Facts = { error, code, reason, failure: failureOf(error) };
  return rows.find(({ when }) => when(facts))?.exit ?? exitCodes.failed;
}

/** A batch says what matters most of all that went wrong. */
const batchOrder = [exitCodes.local, exitCodes.integrity, exitCodes.refused, exitCodes.gaveUp, exitCodes.failed];

export function exitCodeOfBatch(codes: readonly number[]): number {
  return batchOrder.find((code) => codes.includes(code)) ?? exitCodes.done;
}
