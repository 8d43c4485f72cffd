import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ConfigError, MAX_TIMER_MS, optionRows, resolvePolicy } from '../../src/core/index.ts';

function within(group: string, name: string, value: unknown): object {
  return group === '' ? { [name]: value } : { [group]: { [name]: value } };
}

function messageOf(options: unknown): string {
  try {
    resolvePolicy(options as object, 'create a client');
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message;
  }
  return 'accepted';
}

test.each(optionRows.map((row) => [row.name, row] as const))(
  '%s names itself, what must hold, and what came',
  (name, row) => {
    const wrong: unknown[] = [null, {}, [], '5', () => 1, 5n, Number.NaN, Number.POSITIVE_INFINITY];
    if (row.unit !== 'boolean') wrong.push(true, -1);
    if (row.unit !== 'ratio' && row.unit !== 'boolean') wrong.push(row.min - 1, row.min + 0.5, 2 ** 53);
    if (row.unit === 'ms') wrong.push(MAX_TIMER_MS + 1);
    if (row.unit === 'ratio') wrong.push(1.000_1);
    if (row.unit === 'boolean') wrong.push(0, 1);
    for (const value of wrong) {
      const message = messageOf(within(row.group, name, value));
      expect(message).toMatch(new RegExp(`^Cannot create a client as ${name} must be .+: received .+$`));
      expect(message).not.toContain('\n');
    }
  },
);

test.each(optionRows.map((row) => [row.name, row] as const))('%s has a default that it accepts itself', (name, row) => {
  if (row.fallback === undefined) return;
  expect(messageOf(within(row.group, name, row.fallback))).toBe('accepted');
  expect(messageOf(within(row.group, name, undefined))).toBe('accepted');
});

test('a mistyped option is refused by its name, whatever it is', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, maxLength: 20 }), (name) => {
      const known = new Set(['retry', 'timeouts', 'budget', 'connections', 'replayBufferBytes', '__proto__']);
      fc.pre(!known.has(name));
      expect(messageOf({ [name]: 1 })).toContain(`there is no option ${name}`);
      fc.pre(!optionRows.some((row) => row.name === name) && name !== 'transientStatuses');
      expect(messageOf({ retry: { [name]: 1 } })).toContain(`there is no option retry.${name}`);
    }),
  );
});

test('a resolved policy cannot be changed', () => {
  const policy = resolvePolicy({}, 'create a client');
  for (const part of [policy, policy.retry, policy.timeouts, policy.budget, policy.connections])
    expect(Object.isFrozen(part)).toBe(true);
});
