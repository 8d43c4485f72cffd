/** Checks of foreign data: each gives what must hold where it does not, or `undefined`. */

/** One thing that is wrong: the field, what must hold, and what came. */
export interface Problem {
  readonly field: string;
  readonly must: string;
  readonly received: unknown;
}

/** Looks at the value of a field; the first problem is enough. */
export type Check = (value: unknown, field: string) => Problem | undefined;

/** The fields of an object; a name that ends in `?` may be absent. */
export type Shape = Readonly<Record<string, Check>>;

export function that(must: string, holds: (value: unknown) => boolean): Check {
  return (value, field) => (holds(value) ? undefined : { field, must, received: value });
}

export function integerFrom(least: number): Check {
  return that(`be an integer >= ${least}`, (value) => Number.isSafeInteger(value) && (value as number) >= least);
}

export const integer = that('be an integer', (value) => Number.isSafeInteger(value));

export const text = that('be a string', (value) => typeof value === 'string');

export const records = that(
  'be an object of strings without line breaks',
  (value) =>
    isObject(value) &&
    Object.entries(value)
      .flat()
      .every((part) => typeof part === 'string' && !/[\r\n]/.test(part)),
);

export function oneOf(...allowed: readonly (string | number)[]): Check {
  return that(`be one of ${allowed.join(', ')}`, (value) => allowed.includes(value as string));
}

export function listOf(check: Check, least = 0): Check {
  return (value, field) => {
    if (!Array.isArray(value) || value.length < least) {
      return { field, must: least === 0 ? 'be an array' : `be an array of at least ${least}`, received: value };
    }
    return firstOf(value, (item, index) => check(item, `${field}[${index}]`));
  };
}

/** The value must pass one of the checks; where it fails all, `must` is said. */
export function anyOf(must: string, ...checks: readonly Check[]): Check {
  return (value, field) =>
    checks.some((check) => check(value, field) === undefined) ? undefined : { field, must, received: value };
}

/** An object with these fields and no others. */
export function shaped(shape: Shape): Check {
  const names = Object.keys(shape).map((name) => name.replace('?', ''));
  return (value, field) => {
    if (!isObject(value)) return { field, must: `be an object with ${names.join(', ')}`, received: value };
    const unknown = Object.keys(value).find((name) => !names.includes(name));
    if (unknown !== undefined) {
      return {
        field: joinField(field, unknown),
        must: `be absent (allowed: ${names.join(', ')})`,
        received: value[unknown],
      };
    }
    return firstOf(Object.entries(shape), ([key, check]) => {
      const name = key.replace('?', '');
      if (value[name] === undefined && key.endsWith('?')) return undefined;
      return check(value[name], joinField(field, name));
    });
  };
}

/** An object whose `kind` says which shape it has. */
export function tagged(shapes: Readonly<Record<string, Shape>>): Check {
  const kinds = Object.keys(shapes);
  return (value, field) => {
    if (!isObject(value)) return { field, must: 'be an object with kind', received: value };
    const shape = shapes[String(value.kind)];
    if (typeof value.kind !== 'string' || shape === undefined) {
      return { field: joinField(field, 'kind'), must: `be one of ${kinds.join(', ')}`, received: value.kind };
    }
    return shaped({ kind: text, ...shape })(value, field);
  };
}

/** All checks must pass, in this order. */
export function allOf(...checks: readonly Check[]): Check {
  return (value, field) => firstOf(checks, (check) => check(value, field));
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A value as a message shows it. */
export function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'number') return String(value);
  const json = JSON.stringify(value) ?? String(value);
  return json.length > 80 ? `${json.slice(0, 77)}...` : json;
}

function joinField(field: string, name: string): string {
  return field === '' ? name : `${field}.${name}`;
}

function firstOf<T>(items: readonly T[], find: (item: T, index: number) => Problem | undefined): Problem | undefined {
  for (const [index, item] of items.entries()) {
    const problem = find(item, index);
    if (problem !== undefined) return problem;
  }
  return undefined;
}
