/** Health tickets and circuits: against a model, and the laws that no schedule may break. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type AttemptHealth,
  type AttemptStart,
  type Circuit,
  countsOf,
  freshCircuit,
  freshTicket,
  type HealthTicket,
  isOutlier,
  isProbeDue,
  rampOf,
  resolvePoolPolicy,
  settleHealth,
  takeProbe,
} from '../../src/core/index.ts';
import { seededRandom } from '../../src/runtime/index.ts';
import { HealthModel } from './pool-model.ts';

const { ejection } = resolvePoolPolicy({ ejection: { maxConsecutiveFailures: 4, minRequests: 6 } }, 'test');

const ends = fc.constantFrom<AttemptHealth>('failed', 'failed', 'succeeded', 'neutral');

/** Attempts of a few requests at one upstream, in any order, as time goes by. */
const schedule = fc.array(fc.record({ requestId: fc.nat({ max: 12 }), ended: ends, laterMs: fc.nat({ max: 4_000 }) }), {
  maxLength: 80,
});

test('an upstream in service counts what the model counts, and is taken out exactly when the model says so', () => {
  fc.assert(
    fc.property(schedule, fc.boolean(), (steps, mayEject) => {
      const model = new HealthModel(ejection);
      const tickets = new Map<number, HealthTicket>();
      let circuit: Circuit = freshCircuit;
      let nowMs = 0;
      for (const { requestId, ended, laterMs } of steps) {
        nowMs += laterMs;
        const ticket = tickets.get(requestId) ?? freshTicket;
        const isCounted = ended === 'failed' && ticket.chargedAtMs === undefined && !ticket.isCredited;
        const start = { generation: circuit.generation, isProbe: false };
        const step = settleHealth(ticket, circuit, start, ended, ejection, {
          nowMs,
          random: () => 0.5,
          mayEject,
          isOutlier: true,
        });
        tickets.set(requestId, step.ticket);
        circuit = step.circuit;
        if (ended === 'failed') model.failed(requestId, nowMs);
        if (ended === 'succeeded') model.succeeded(requestId, nowMs);
        // Only a failure that counts takes an upstream out.
        const shouldBeOut = mayEject && isCounted && model.isFailingAt(nowMs);
        expect(circuit.kind).toBe(shouldBeOut ? 'ejected' : 'closed');
        if (circuit.kind === 'ejected') return;
        expect(circuit.consecutiveFailures).toBe(model.consecutiveFailures);
        expect(countsOf(circuit, ejection, nowMs)).toEqual(model.countsAt(nowMs));
      }
    }),
    { numRuns: 2_000 },
  );
});

test('a request moves the health of an upstream by at most one, however often it tries', () => {
  fc.assert(
    fc.property(fc.array(ends, { maxLength: 20 }), fc.nat({ max: 3 }), (attempts, before) => {
      let circuit: Circuit = freshCircuit;
      const facts = { nowMs: 0, random: () => 0.5, mayEject: false, isOutlier: true };
      const settle = (ticket: HealthTicket, ended: AttemptHealth) => {
        const step = settleHealth(
          ticket,
          circuit,
          { generation: circuit.generation, isProbe: false },
          ended,
          ejection,
          facts,
        );
        circuit = step.circuit;
        return step.ticket;
      };
      for (let i = 0; i < before; i += 1) settle(freshTicket, 'failed');
      const start = countsOf(circuit as Circuit & { kind: 'closed' }, ejection, 0);
      let ticket = freshTicket;
      for (const ended of attempts) ticket = settle(ticket, ended);
      const end = countsOf(circuit as Circuit & { kind: 'closed' }, ejection, 0);
      expect(end.failures - start.failures).toBe(ticket.chargedAtMs === undefined ? 0 : 1);
      expect(end.requests - start.requests).toBeLessThanOrEqual(1);
    }),
  );
});

test('what began before an upstream was taken out, or came back, changes nothing', () => {
  fc.assert(
    fc.property(ends, fc.boolean(), fc.integer({ min: 1, max: 5 }), (ended, isProbe, behind) => {
      const late = { generation: -behind, isProbe };
      for (const circuit of [
        freshCircuit,
        { ...freshCircuit, kind: 'ejected', untilMs: 5, probeUntilMs: 9 } as Circuit,
      ]) {
        const step = settleHealth(freshTicket, circuit, late, ended, ejection, {
          nowMs: 1,
          random: () => 0.5,
          mayEject: true,
          isOutlier: true,
        });
        expect(step.circuit).toBe(circuit);
        expect(step.ticket).toBe(freshTicket);
      }
    }),
  );
});

test('only one probe is out at a time, and none before its time', () => {
  fc.assert(
    fc.property(fc.integer(), fc.array(fc.nat({ max: 20_000 }), { maxLength: 60 }), (seed, gaps) => {
      const random = seededRandom(seed);
      let circuit: Circuit = { kind: 'ejected', generation: 1, strikes: 0, untilMs: 4_000, probeUntilMs: undefined };
      let nowMs = 0;
      let outUntilMs: number | undefined;
      for (const gap of gaps) {
        nowMs += gap;
        if (circuit.kind === 'ejected' && isProbeDue(circuit, nowMs)) {
          expect(nowMs).toBeGreaterThanOrEqual(circuit.untilMs);
          expect(outUntilMs === undefined || nowMs >= outUntilMs).toBe(true);
          circuit = takeProbe(circuit, ejection, nowMs);
          outUntilMs = nowMs + ejection.probeMs;
        } else if (outUntilMs !== undefined && random() < 0.3) {
          const start: AttemptStart = { generation: circuit.generation, isProbe: true };
          const ended: AttemptHealth = random() < 0.5 ? 'failed' : 'neutral';
          circuit = settleHealth(freshTicket, circuit, start, ended, ejection, {
            nowMs,
            random,
            mayEject: true,
            isOutlier: true,
          }).circuit;
          outUntilMs = undefined;
        }
      }
    }),
  );
});

test('once faults stop, an upstream is back within the longest ejection, one probe and its way up', () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 1, max: 12 }), (seed, failedProbes) => {
      const random = seededRandom(seed);
      const facts = (nowMs: number) => ({ nowMs, random, mayEject: true, isOutlier: true });
      let circuit: Circuit = freshCircuit;
      let nowMs = 0;
      const attempt = (ended: AttemptHealth) => {
        const isProbe = isProbeDue(circuit, nowMs);
        if (isProbe) circuit = takeProbe(circuit as Circuit & { kind: 'ejected' }, ejection, nowMs);
        const start = { generation: circuit.generation, isProbe };
        circuit = settleHealth(freshTicket, circuit, start, ended, ejection, facts(nowMs)).circuit;
      };
      while (circuit.kind === 'closed') attempt('failed');
      for (let i = 0; i < failedProbes; i += 1) {
        nowMs = (circuit as Circuit & { kind: 'ejected' }).untilMs;
        attempt('failed');
        expect(circuit.kind).toBe('ejected');
      }
      const healedAtMs = nowMs;
      nowMs = (circuit as Circuit & { kind: 'ejected' }).untilMs;
      attempt('succeeded');
      expect(circuit.kind).toBe('closed');
      expect(nowMs - healedAtMs).toBeLessThanOrEqual(ejection.maxMs * 1.2);
      expect(rampOf(circuit, ejection, nowMs)).toBeLessThan(1);
      expect(rampOf(circuit, ejection, nowMs + ejection.slowStartMs)).toBe(1);
    }),
  );
});

test('each further ejection takes twice as long, up to the longest, give or take a fifth', () => {
  let circuit: Circuit = freshCircuit;
  const facts = { nowMs: 0, random: () => 0.5, mayEject: true, isOutlier: true };
  const lengths: number[] = [];
  const settle = (ended: AttemptHealth, isProbe: boolean) => {
    const start = { generation: circuit.generation, isProbe };
    circuit = settleHealth(freshTicket, circuit, start, ended, ejection, facts).circuit;
  };
  while (circuit.kind === 'closed') settle('failed', false);
  for (let i = 0; i < 7; i += 1) {
    lengths.push((circuit as Circuit & { kind: 'ejected' }).untilMs);
    circuit = takeProbe(circuit as Circuit & { kind: 'ejected' }, ejection, 0);
    settle('failed', true);
  }
  expect(lengths).toEqual([5_000, 10_000, 20_000, 40_000, 80_000, 120_000, 120_000]);
});

test('where all fail alike, no share of failures takes anybody out; where one fails more than twice as often, it is the one', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 60 }), (ownFailures, otherFailures) => {
      const withFailures = (count: number): Circuit => ({
        kind: 'closed',
        generation: 0,
        consecutiveFailures: 0,
        newest: { index: 0, requests: 60, failures: count },
        older: [],
        strikes: 0,
        closedAtMs: undefined,
      });
      const [own, other] = [withFailures(ownFailures), withFailures(otherFailures)];
      expect(isOutlier(own, [other], ejection, 0)).toBe(otherFailures <= ownFailures / 2);
      expect(isOutlier(own, [], ejection, 0)).toBe(false);
    }),
  );
});
