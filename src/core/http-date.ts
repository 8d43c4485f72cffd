/** HTTP-date in its three forms (RFC 9110 5.6.7), without `Date.parse`, which accepts far more and by local time. */

const monthNames: readonly string[] = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

const shortDay = '(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)';
const longDay = '(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day';
const month = `(?<month>${monthNames.join('|')})`;
const time = '(?<hour>\\d{2}):(?<minute>\\d{2}):(?<second>\\d{2})';

/** A weekday that does not fit its date is tolerated: it carries nothing, and broken servers send it. */
const forms: readonly RegExp[] = [
  new RegExp(`^${shortDay}, (?<day>\\d{2}) ${month} (?<year>\\d{4}) ${time} GMT$`),
  new RegExp(`^${longDay}, (?<day>\\d{2})-${month}-(?<year>\\d{2}) ${time} GMT$`),
  new RegExp(`^${shortDay} ${month} (?<day>[ \\d]\\d) ${time} (?<year>\\d{4})$`),
];

/**
 * The instant that an HTTP-date names, in ms since 1970 (UTC), or `undefined` for anything else.
 *
 * @param nowWallMs what a two-digit year of the obsolete RFC 850 form is judged by: "more than 50 years in the future"
 *   means the past century (RFC 9110 5.6.7). Without it 70–99 are 19xx and 00–69 are 20xx.
 */
export function parseHttpDate(text: string, nowWallMs?: number): number | undefined {
  const trimmed = text.trim();
  for (const form of forms) {
    const parts = form.exec(trimmed)?.groups;
    if (parts) return instantOf(parts, nowWallMs);
  }
  return undefined;
}

function instantOf(parts: Readonly<Record<string, string>>, nowWallMs: number | undefined): number | undefined {
  const monthIndex = monthNames.indexOf(parts.month ?? '');
  const [day, hour, minute, second] = [parts.day, parts.hour, parts.minute, parts.second].map(Number);
  if (day === undefined || hour === undefined || minute === undefined || second === undefined) return undefined;
  // A leap second is written 60 and is no part of Unix time: it is the first instant of the next minute.
  if (second > 60) return undefined;
  const toInstant = (year: number): number => Date.UTC(year, monthIndex, day, hour, minute, Math.min(second, 59));

  const digits = parts.year ?? '';
  const year = digits.length === 2 ? fullYear(Number(digits), toInstant, nowWallMs) : Number(digits);
  const instantMs = toInstant(year);
  const back = new Date(instantMs);
  const exists =
    back.getUTCFullYear() === year &&
    back.getUTCMonth() === monthIndex &&
    back.getUTCDate() === day &&
    back.getUTCHours() === hour &&
    back.getUTCMinutes() === minute;
  return exists ? instantMs + (second === 60 ? 1_000 : 0) : undefined;
}

function fullYear(twoDigits: number, toInstant: (year: number) => number, nowWallMs: number | undefined): number {
  if (nowWallMs === undefined) return twoDigits >= 70 ? 1900 + twoDigits : 2000 + twoDigits;
  const now = new Date(nowWallMs);
  const century = Math.floor(now.getUTCFullYear() / 100) * 100;
  const in50YearsMs = Date.UTC(
    now.getUTCFullYear() + 50,
    now.getUTCMonth(),
    now.getUTCDate(),
    now.getUTCHours(),
    now.getUTCMinutes(),
    now.getUTCSeconds(),
  );
  return toInstant(century + twoDigits) > in50YearsMs ? century - 100 + twoDigits : century + twoDigits;
}
