/** Durations and sizes as people write them: `500ms`, `30s`, `5m`, `64KiB`, `10MB`. */

const msPerUnit: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

const bytesPerUnit: Readonly<Record<string, number>> = {
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
};

const quantity = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i;

/** Milliseconds, whole; undefined where the text is no duration. A number alone has no unit, and is none. */
export function parseDuration(text: string): number | undefined {
  const match = quantity.exec(text.trim());
  const unit = msPerUnit[match?.[2]?.toLowerCase() ?? ''];
  return match === null || unit === undefined ? undefined : Math.round(Number(match[1]) * unit);
}

/** Bytes, whole; a number alone counts bytes. */
export function parseSize(text: string): number | undefined {
  const match = quantity.exec(text.trim());
  const unit = bytesPerUnit[match?.[2]?.toLowerCase() ?? ''];
  return match === null || unit === undefined ? undefined : Math.round(Number(match[1]) * unit);
}
