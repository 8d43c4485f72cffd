/**
 * What one request has done to the health of one upstream: at most one charge, at its first failure, and at most one
 * credit, when its answer has ended well. A credit takes the charge back.
 */
import {
  addFailure,
  addSuccess,
  type Circuit,
  type CircuitFacts,
  closeAfterProbe,
  ejectAgain,
  returnProbe,
} from './circuit.ts';
import type { EjectionPolicy } from './pool-policy.ts';

export interface HealthTicket {
  readonly chargedAtMs: number | undefined;
  /** The circuit's generation when it was charged. */
  readonly chargedIn: number;
  readonly isCredited: boolean;
}

export const freshTicket: HealthTicket = Object.freeze({ chargedAtMs: undefined, chargedIn: -1, isCredited: false });

/** How an attempt ended for the upstream's health. */
export type AttemptHealth = 'failed' | 'succeeded' | 'neutral';

/** The attempt, as far as health is concerned. */
export interface AttemptStart {
  /** The circuit's generation when it started. */
  readonly generation: number;
  /** It holds the one probe of an ejected upstream. */
  readonly isProbe: boolean;
}

export interface HealthStep {
  readonly ticket: HealthTicket;
  readonly circuit: Circuit;
}

/** An attempt of this request at this upstream has ended. */
export function settleHealth(
  ticket: HealthTicket,
  circuit: Circuit,
  start: AttemptStart,
  ended: AttemptHealth,
  policy: EjectionPolicy,
  facts: CircuitFacts,
): HealthStep {
  // Begun before the upstream was taken out or came back: it speaks of a time that is over.
  if (start.generation !== circuit.generation) return { ticket, circuit };
  if (circuit.kind === 'ejected') {
    const next = start.isProbe ? settleProbe(circuit, ended, policy, facts) : circuit;
    return { ticket: start.isProbe ? settledBy(ticket, ended, start, facts.nowMs) : ticket, circuit: next };
  }
  switch (ended) {
    case 'neutral':
      return { ticket, circuit };
    case 'failed':
      return isOpenTo(ticket)
        ? { ticket: settledBy(ticket, ended, start, facts.nowMs), circuit: addFailure(circuit, policy, facts) }
        : { ticket, circuit };
    case 'succeeded': {
      if (ticket.isCredited) return { ticket, circuit };
      const withdrawnAtMs = ticket.chargedIn === circuit.generation ? ticket.chargedAtMs : undefined;
      const next = addSuccess(circuit, policy, facts.nowMs, withdrawnAtMs);
      return { ticket: settledBy(ticket, ended, start, facts.nowMs), circuit: next };
    }
  }
}

function isOpenTo(ticket: HealthTicket): boolean {
  return ticket.chargedAtMs === undefined && !ticket.isCredited;
}

function settleProbe(
  circuit: Circuit & { readonly kind: 'ejected' },
  ended: AttemptHealth,
  policy: EjectionPolicy,
  facts: CircuitFacts,
): Circuit {
  switch (ended) {
    case 'neutral':
      return returnProbe(circuit);
    case 'failed':
      return ejectAgain(circuit, policy, facts);
    case 'succeeded':
      return closeAfterProbe(circuit, facts.nowMs);
  }
}

function settledBy(ticket: HealthTicket, ended: AttemptHealth, start: AttemptStart, nowMs: number): HealthTicket {
  switch (ended) {
    case 'neutral':
      return ticket;
    case 'failed':
      return isOpenTo(ticket) ? { ...ticket, chargedAtMs: nowMs, chargedIn: start.generation } : ticket;
    case 'succeeded':
      return { ...ticket, chargedAtMs: undefined, isCredited: true };
  }
}
