/** The sentences that explain a failure to a person: what happened, where, how far it got, what to do next. */
import type { GiveUpReason, Reason } from './decide.ts';
import type { Failure, Phase } from './failure.ts';
import type { Ledger } from './ledger.ts';
import { redactUrl } from './redact.ts';

/** 11415836 → `11,415,836`. */
export function groupDigits(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}

/** 7312 → `7.3 s`; 95000 → `1 min 35 s`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.round((seconds % 3600) / 60)} min`;
}

/** 67108864 → `64.0 MiB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return unit === 0 ? `${bytes} B` : `${value.toFixed(1)} ${units[unit]}`;
}

const placeOf: Readonly<Record<Phase, string>> = {
  resolve: 'while looking up the name',
  connect: 'while connecting',
  tls: 'during the TLS handshake',
  send: 'while sending the request',
  wait: 'while waiting for the answer',
  body: 'while reading the body',
};

export interface BodyPlace {
  readonly atByte: number;
  readonly totalBytes: number | undefined;
}

/** `connection reset while reading the body at byte 11,415,836 of 67,108,864 (ECONNRESET)` */
export function describeFailure(failure: Failure, place?: BodyPlace): string {
  if (failure.origin === 'status') return failure.what;
  const where = failure.phase === 'body' && place !== undefined ? ` ${describePlace(place)}` : '';
  const code = failure.code === undefined || failure.what.includes(failure.code) ? '' : ` (${failure.code})`;
  return `${failure.what} ${placeOf[failure.phase]}${where}${code}`;
}

function describePlace({ atByte, totalBytes }: BodyPlace): string {
  return `at byte ${groupDigits(atByte)}${totalBytes === undefined ? '' : ` of ${groupDigits(totalBytes)}`}`;
}

const endOf: Readonly<Record<GiveUpReason, string>> = {
  permanent: '',
  'may-have-run':
    'not sent again, since the server may have acted on it: check there first, or declare it `repeatable`',
  'body-not-replayable':
    'not sent again, since its body is a stream that cannot be produced a second time: pass a function that makes it, or raise `replayBufferBytes`',
  'attempts-exhausted': '',
  'budget-exhausted': "not tried again, since this client's retry budget is spent: most of its requests are failing",
  deadline: 'not tried again, since the deadline would pass',
  'pushback-too-long': 'not tried again, since the server asked for a longer pause than `maxPushbackMs`',
  deterministic: 'not tried again, since it failed twice in exactly the same way',
  'content-changed': 'the content changed while it was being read: start again to get the new version',
  'live-body': 'a live stream cannot be continued: open it again',
  'not-resumable': 'the rest cannot be asked for, since the server gave neither a validator nor a length',
  'upstreams-exhausted': 'no upstream is left to ask',
};

/** The first line of an error's message; it tells a person what happened without the ledger. */
export function describeGiveUp(
  reason: GiveUpReason,
  failure: Failure,
  ledger: Ledger,
  place: BodyPlace,
  nowMs: number,
): string {
  const attempts = `${groupDigits(ledger.attemptCount)} attempt${ledger.attemptCount === 1 ? '' : 's'}`;
  const took = formatDuration(nowMs - ledger.startedAtMs);
  const pushback =
    reason === 'pushback-too-long' && failure.pushbackMs !== undefined
      ? ` (come back in ${formatDuration(failure.pushbackMs)})`
      : '';
  const end = endOf[reason] === '' ? '' : `; ${endOf[reason]}${pushback}`;
  return `Request failed after ${attempts} in ${took}: ${describeFailure(failure, place)}${end} · ${ledger.method} ${ledger.url}`;
}

const becauseOf: Readonly<Record<Reason, string>> = {
  'stale-connection': 'the kept connection was dead',
  progress: 'bytes were gained',
  'transient-failure': 'the trouble may pass',
  throttled: 'asked to slow down',
  pushback: 'the server named the pause',
  'suspicious-answer': 'the answer is not believed the first time',
  'another-upstream': 'another upstream may do better',
};

export function describeReason(reason: Reason): string {
  return becauseOf[reason];
}

/** The beginning of a foreign answer on one line, without control characters, tags and credentials in URLs. */
export function readableText(bytes: Uint8Array): string {
  const text = Array.from(bytes, (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ' ')).join('');
  const line = text
    .replace(/<(style|script)[^>]*>.*?<\/\1>|<[^>]*>/gi, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  return redactUrl(line.length > MAX_TEXT_CHARACTERS ? `${line.slice(0, MAX_TEXT_CHARACTERS - 1)}…` : line);
}

const MAX_TEXT_CHARACTERS = 200;

/** One `Caused by:` line per link of the chain, down to the errno. */
export function describeCauses(error: unknown): readonly string[] {
  const lines: string[] = [];
  let link = causeOf(error);
  for (let depth = 0; depth < MAX_CAUSES && link !== undefined; depth += 1) {
    const { name, message, code } = link as { name?: unknown; message?: unknown; code?: unknown };
    const codeText = typeof code === 'string' && !String(message).includes(code) ? ` (${code})` : '';
    lines.push(`Caused by: ${typeof name === 'string' ? `${name}: ` : ''}${firstLine(String(message))}${codeText}`);
    link = causeOf(link);
  }
  return lines;
}

const MAX_CAUSES = 8;

function causeOf(error: unknown): object | undefined {
  const cause = typeof error === 'object' && error !== null ? (error as { cause?: unknown }).cause : undefined;
  return typeof cause === 'object' && cause !== null ? cause : undefined;
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}
