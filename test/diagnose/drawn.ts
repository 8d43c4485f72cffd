/** Servers whose trouble is drawn by a seed: the kind, and its numbers. Nobody has mended by them: another seed is another set. */
import type { CauseId } from '../../src/diagnose/inference/cause-list.ts';
import type { Fault, ResourcePlan, Scenario } from '../../src/lab/index.ts';
import { KiB, MiB, seeded } from './scenario.ts';
import type { Truth } from './truths.ts';

export interface Drawn {
  readonly scenario: Scenario;
  readonly truth: Truth;
}

interface Dice {
  between(least: number, most: number): number;
  oneOf<T>(...list: readonly T[]): T;
  /** Numbers of requests, each with that probability. */
  some(ratio: number): readonly number[];
}

type Family = (dice: Dice) => {
  readonly plan: Omit<Scenario, 'name'>;
  readonly says: readonly [CauseId, ...CauseId[]];
  readonly maybe?: readonly CauseId[];
};

const large = (dice: Dice): ResourcePlan => ({ sizeBytes: dice.between(3, 12) * MiB });
const anywhere = (dice: Dice) => ({ min: dice.between(10, 200) * KiB, max: dice.between(1_000, 2_900) * KiB });
const cutBy = (dice: Dice) => dice.oneOf<'rst' | 'fin'>('rst', 'fin');

const families: Readonly<Record<string, Family>> = {
  healthy: (dice) => ({
    plan: {
      resource: {
        sizeBytes: dice.between(1, 4_000) * KiB,
        framing: dice.oneOf('length', 'chunked', 'close'),
        validator: dice.oneOf('strong', 'weak', 'none'),
        ranges: dice.oneOf('honoured', 'refused'),
      },
      requests: [{ on: 'every', do: { kind: 'delay', delayMs: dice.between(1, 900) } }],
    },
    says: ['nothing-wrong'],
  }),
  'cuts-at-random': (dice) => ({
    plan: {
      resource: large(dice),
      requests: [
        {
          on: dice.some(dice.between(40, 100) / 100),
          do: { kind: 'cut', by: cutBy(dice), at: 'body', atRandomByte: anywhere(dice) },
        },
      ],
    },
    says: ['random-cuts'],
  }),
  'cuts-without-length': (dice) => ({
    plan: {
      resource: { ...large(dice), framing: 'close', validator: 'none', ranges: dice.oneOf('honoured', 'refused') },
      requests: [{ on: 'every', do: { kind: 'cut', by: 'fin', at: 'body', atRandomByte: anywhere(dice) } }],
    },
    says: ['random-cuts'],
  }),
  'cuts-at-a-size': (dice) => ({
    plan: {
      resource: large(dice),
      requests: [
        { on: 'every', do: { kind: 'cut', by: cutBy(dice), at: 'body', atByte: dice.between(200, 2_800) * KiB } },
      ],
    },
    says: ['size-limit'],
  }),
  'limit-by-number': (dice) => ({
    plan: {
      resource: { sizeBytes: 8 * MiB },
      requests: [
        {
          on: 'every',
          where: { concurrentAbove: dice.between(1, 5) },
          do: dice.oneOf<Fault>(
            { kind: 'status', status: 429 },
            { kind: 'status', status: 503 },
            { kind: 'cut', by: 'rst', at: 'request' },
          ),
        },
      ],
    },
    says: ['connection-limit'],
  }),
  'always-a-status': (dice) => {
    const status = dice.oneOf(500, 502, 504, 404, 410, 401);
    return {
      plan: { requests: [{ on: 'every', do: { kind: 'status', status } }] },
      says: status >= 500 ? ['server-fails'] : ['request-refused'],
    };
  },
  overloaded: (dice) => ({
    plan: {
      resource: { sizeBytes: dice.between(10, 200) * KiB },
      requests: [{ on: dice.some(dice.between(30, 65) / 100), do: { kind: 'status', status: dice.oneOf(503, 500) } }],
    },
    says: ['server-overloaded'],
  }),
  passed: (dice) => ({
    plan: {
      resource: large(dice),
      requests: [
        {
          on: { to: dice.between(1, 2) },
          do: dice.oneOf<Fault>(
            { kind: 'cut', by: 'rst', at: 'request' },
            { kind: 'cut', by: 'fin', at: 'headers' },
            { kind: 'cut', by: 'rst', at: 'body', atRandomByte: anywhere(dice) },
            { kind: 'status', status: 500 },
            { kind: 'status', status: 502 },
          ),
        },
      ],
    },
    says: ['passed'],
    maybe: ['random-cuts', 'server-overloaded', 'server-restarting'],
  }),
  'rate-limit': (dice) => ({
    plan: {
      resource: { sizeBytes: dice.between(10, 200) * KiB },
      requests: [
        {
          on: { from: dice.between(2, 9) },
          do: { kind: 'status', status: 429, retryAfter: String(dice.between(2, 60)) },
        },
      ],
    },
    says: ['rate-limit'],
  }),
  'ends-kept-connections': (dice) => ({
    plan: {
      resource: { sizeBytes: dice.between(10, 200) * KiB },
      requests: [
        dice.oneOf(
          {
            on: 'every' as const,
            where: { requestOnConnection: { from: 2 } },
            do: { kind: 'cut' as const, by: cutBy(dice), at: 'request' as const },
          },
          {
            on: 'every' as const,
            do: { kind: 'close-after' as const, by: cutBy(dice), afterMs: dice.between(10, 900) },
          },
        ),
      ],
    },
    says: ['keep-alive-race'],
    maybe: ['idle-limit'],
  }),
  stalls: (dice) => ({
    plan: {
      resource: large(dice),
      requests: [{ on: 'every', do: { kind: 'stall', at: 'body', atRandomByte: anywhere(dice) } }],
    },
    says: ['stalls'],
  }),
  'ends-on-accept': (dice) => ({
    plan: { resource: large(dice), connections: [{ on: 'every', do: { kind: 'cut', by: cutBy(dice) } }] },
    says: ['drops-connections'],
  }),
  'never-answers': (dice) => ({
    plan: { requests: [{ on: 'every', do: { kind: 'cut', by: cutBy(dice), at: dice.oneOf('request', 'headers') } }] },
    says: ['drops-requests'],
  }),
  'replaces-content': (dice) => ({
    plan: {
      resource: large(dice),
      requests: [{ on: 'every', do: dice.oneOf<Fault>({ kind: 'empty-200' }, { kind: 'captive-portal' }) }],
    },
    says: ['content-replaced'],
  }),
  'broken-place': (dice) => ({
    plan: {
      resource: { sizeBytes: 8 * MiB },
      requests: [
        { on: 'every', do: { kind: 'cut', by: cutBy(dice), at: 'body', atOffset: dice.between(500, 6_000) * KiB } },
      ],
    },
    says: ['damaged-content'],
    maybe: ['size-limit'],
  }),
};

export function drawn(seed: number, count: number): readonly Drawn[] {
  const random = seeded(seed);
  const names = Object.keys(families);
  const dice: Dice = {
    between: (least, most) => least + Math.floor(random() * (most - least + 1)),
    oneOf: (...list) => list[Math.floor(random() * list.length)]!,
    some: (ratio) => Array.from({ length: 200 }, (_, index) => index + 1).filter(() => random() < ratio),
  };
  return Array.from({ length: count }, (_, index) => {
    // Each kind in its turn, so that none is left out by chance.
    const name = names[index % names.length]!;
    const { plan, says, maybe } = families[name]!(dice);
    const title = `${name}-${index + 1}`;
    return {
      scenario: { name: title, ...plan },
      truth: { scenarios: [title], says, ...(maybe === undefined ? {} : { maybe }), why: 'It was made so.' },
    };
  });
}
