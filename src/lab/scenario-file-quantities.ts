/** Scenario files may write `10s` and `64KiB` where a scenario holds milliseconds and bytes. */
import { isObject, type Problem } from './check-value.ts';

interface Unit {
  readonly must: string;
  readonly factors: Readonly<Record<string, number>>;
}

const duration: Unit = {
  must: 'be a duration such as 40ms, 10s or 2m, or a number of milliseconds',
  factors: { ms: 1, s: 1_000, m: 60_000, min: 60_000, h: 3_600_000, d: 86_400_000 },
};

const size: Unit = {
  must: 'be a size such as 512, 64KiB or 10MB, or a number of bytes',
  factors: {
    '': 1,
    b: 1,
    k: 1_024,
    kib: 1_024,
    kb: 1_000,
    m: 1_024 ** 2,
    mib: 1_024 ** 2,
    mb: 1_000 ** 2,
    g: 1_024 ** 3,
    gib: 1_024 ** 3,
    gb: 1_000 ** 3,
  },
};

/** The value with every quantity as a number; what is no quantity is reported by its field. */
export function withNumbers(value: unknown, problems: Problem[]): unknown {
  return convert(value, '', [], problems);
}

/** `keys` are the names on the way down, without indexes. */
function convert(value: unknown, field: string, keys: readonly string[], problems: Problem[]): unknown {
  // What a header says is text, whatever it looks like.
  if (keys.at(-1) === 'headers') return value;
  if (Array.isArray(value)) return value.map((item, index) => convert(item, `${field}[${index}]`, keys, problems));
  if (isObject(value)) {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [
        key,
        convert(item, field === '' ? key : `${field}.${key}`, [...keys, key], problems),
      ]),
    );
  }
  const unit = unitOf(keys);
  if (typeof value !== 'string' || unit === undefined) return value;
  const number = parseQuantity(value, unit);
  if (number === undefined) problems.push({ field, must: unit.must, received: value });
  return number ?? value;
}

/** The unit is the last word of a field's name; the ends of a span of bytes are places, too. */
function unitOf(keys: readonly string[]): Unit | undefined {
  const [outer, key = ''] = [keys.at(-2), keys.at(-1)];
  if (/Ms$/.test(key)) return duration;
  if (/bytes?$/i.test(key) || key === 'atOffset' || key === 'bytesPerSecond') return size;
  return outer === 'atRandomByte' || outer === 'keeps' ? size : undefined;
}

function parseQuantity(text: string, unit: Unit): number | undefined {
  const match = /^(-?\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim());
  const factor = match && Object.hasOwn(unit.factors, match[2]!.toLowerCase()) && unit.factors[match[2]!.toLowerCase()];
  return typeof factor === 'number' ? Math.round(Number(match![1]) * factor) : undefined;
}
