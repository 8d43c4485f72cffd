import {
  allOf,
  anyOf,
  type Check,
  integer,
  integerFrom,
  isObject,
  listOf,
  oneOf,
  type Problem,
  records,
  type Shape,
  shaped,
  shown,
  tagged,
  text,
  that,
} from './check-value.ts';
import type { ProxyFault } from './proxy-plan.ts';
import { type AnswerFault, type ConnectionFault, type DeliveryFault, http2Codes, type Scenario } from './scenario.ts';

/**
 * Asserts that foreign data is a scenario.
 * @throws TypeError naming the field, what must hold, and what came.
 */
export function checkScenario(value: unknown): asserts value is Scenario {
  const problem = problemOf(value);
  if (problem === undefined) return;
  const named = isObject(value) && typeof value.name === 'string' ? ` ${shown(value.name)}` : '';
  const field = problem.field === '' ? 'it' : problem.field;
  throw new TypeError(
    `Cannot play the scenario${named} as ${field} must ${problem.must}: received ${shown(problem.received)}`,
  );
}

/** What is wrong with a scenario, first thing first. */
export function problemOf(value: unknown): Problem | undefined {
  return scenario(value, '');
}

const count = integerFrom(1);
const bytes = integerFrom(0);
const ms = integerFrom(0);
const status = that(
  'be a status from 200 to 599',
  (value) => Number.isInteger(value) && Number(value) >= 200 && Number(value) < 600,
);
const by = oneOf('rst', 'fin', 'bare-fin');
const place = oneOf('request', 'headers', 'body', 'end', 'upload');
const span = shaped({ 'from?': count, 'to?': count });

const number = anyOf(
  "be 'every', a number from 1 on, an array of them, or { from, to }",
  oneOf('every'),
  count,
  listOf(count, 1),
  span,
);
const selector = anyOf(
  "be 'every', 'resumes', a number from 1 on, an array of them, or { from, to }",
  oneOf('every', 'resumes'),
  number,
);

const ordered: Check = (value, field) =>
  isObject(value) && Number(value.min) > Number(value.max)
    ? { field: `${field}.min`, must: 'not be above max', received: value.min }
    : undefined;

const positionFields = ['atByte', 'atOffset', 'everyBytes', 'atRandomByte'];
const position: Shape = {
  'atByte?': bytes,
  'atOffset?': bytes,
  'everyBytes?': count,
  'atRandomByte?': allOf(shaped({ min: bytes, max: bytes }), ordered),
};

const onePosition: Check = (value, field) => {
  const given = positionFields.filter((name) => isObject(value) && value[name] !== undefined);
  return given.length <= 1 ? undefined : { field, must: `have one of ${positionFields.join(', ')}`, received: given };
};

const code = anyOf('be an error code of HTTP/2 such as CANCEL, or a number', oneOf(...http2Codes), bytes);
const framePlace = oneOf('request', 'body', 'end');

const deliveries: { readonly [K in DeliveryFault['kind']]: Shape } = {
  cut: {
    by,
    at: place,
    ...position,
    'afterDrainMs?': ms,
    'connection?': oneOf('close', 'keep-alive'),
    'chunk?': oneOf('inside', 'between'),
  },
  stall: { at: place, ...position, 'forMs?': ms },
  trickle: { 'at?': oneOf('headers', 'body'), chunkBytes: count, everyMs: ms, 'fromByte?': bytes, 'toByte?': bytes },
  delay: { delayMs: ms },
  gate: { name: text, 'at?': oneOf('headers', 'body', 'end'), ...position },
  informational: { status: oneOf(100, 102, 103), 'headers?': records, 'times?': count },
  'close-after': { by, 'afterMs?': ms },
  'bad-chunk': { 'text?': text, ...position },
  'tls-record': { which: oneOf('garbage', 'plain-alert', 'alert'), 'at?': framePlace, ...position },
  'rst-stream': { code, 'at?': framePlace, ...position },
  goaway: { code, covers: oneOf('this', 'earlier'), 'at?': framePlace, ...position },
  'end-stream': position,
  'odd-frame': {
    which: oneOf('unknown-type', 'data-on-stream-0', 'oversized', 'bad-headers', 'window-overflow', 'junk'),
    'at?': framePlace,
    ...position,
  },
};

const answers: { readonly [K in AnswerFault['kind']]: Shape } = {
  status: {
    status,
    'retryAfter?': text,
    'retryAfterDateInMs?': integer,
    'headers?': records,
    'contentType?': text,
    'bodyText?': text,
    'bodyBytes?': bytes,
  },
  'empty-200': {},
  'captive-portal': { 'bodyText?': text },
  'wrong-206': {
    how: oneOf(
      'from-zero',
      'earlier',
      'later',
      'other-total',
      'other-etag',
      'no-content-range',
      'multipart',
      'short',
      'too-long',
      'other-type',
      'other-encoding',
      'wrong-bytes',
      'empty',
    ),
    'byBytes?': count,
  },
  '200-with-content-range': {},
  '416': { 'contentRange?': oneOf('present', 'absent') },
  '412': {},
  'if-range-ignored': {},
  'range-ignored': {},
  'wrong-length': { byBytes: integer },
  corrupt: { 'bytes?': count, ...position },
  'gzip-damage': { how: oneOf('truncated', 'flipped', 'trailer') },
  'not-http': { 'text?': text },
  redirect: { status: oneOf(301, 302, 303, 307, 308), to: text, 'validForRequests?': bytes },
};

const connectionFaults: { readonly [K in ConnectionFault['kind']]: Shape } = {
  cut: { by, 'afterMs?': ms },
  stall: { 'forMs?': ms },
  'tls-cut': { by },
  'tls-alert': {
    alert: that(
      'be an alert from 0 to 255',
      (value) => Number.isInteger(value) && Number(value) >= 0 && Number(value) < 256,
    ),
  },
  'tls-garbage': {},
  certificate: { which: oneOf('good', 'expired', 'other-host', 'self-signed') },
};

const fault = allOf(tagged({ ...deliveries, ...answers }), onePosition);

const faults: Check = (value, field) => (Array.isArray(value) ? listOf(fault, 1)(value, field) : fault(value, field));

const filter = shaped({
  'method?': anyOf('be a method or an array of them', text, listOf(text, 1)),
  'file?': text,
  'range?': oneOf('present', 'absent'),
  'requestOnConnection?': number,
  'concurrentAbove?': bytes,
  'withinMs?': ms,
});

const resource = shaped({
  'sizeBytes?': bytes,
  'bodyText?': text,
  'bodyBase64?': text,
  'contentType?': text,
  'validator?': oneOf('strong', 'weak', 'last-modified', 'last-modified-weak', 'both', 'none'),
  'framing?': oneOf('length', 'chunked', 'close'),
  'ranges?': oneOf('honoured', 'ignored', 'refused'),
  'encoding?': oneOf('identity', 'gzip', 'gzip-always'),
  'digest?': oneOf('none', 'repr-digest', 'content-digest', 'digest'),
  'headers?': records,
});

const change = shaped({
  fromRequest: count,
  'seed?': integer,
  'sizeBytes?': bytes,
  'bodyText?': text,
  'bodyBase64?': text,
  'validator?': oneOf('new', 'same'),
  'keeps?': shaped({ from: bytes, to: bytes }),
});

const inOrder: Check = (value, field) => {
  const starts = (value as { fromRequest: number }[]).map(({ fromRequest }) => fromRequest);
  const index = starts.findIndex((start, at) => at > 0 && start <= starts[at - 1]!);
  if (index < 0) return undefined;
  return { field: `${field}[${index}].fromRequest`, must: 'be above the one before', received: starts[index] };
};

const until = anyOf('be { forMs } or { untilOpen }', shaped({ forMs: ms }), shaped({ untilOpen: text }));

const proxyFaults: { readonly [K in ProxyFault['kind']]: Shape } = {
  status: { status, 'headers?': records, 'bodyText?': text },
  cut: {
    by: oneOf('rst', 'fin'),
    at: oneOf('request', 'established', 'tunnel'),
    'atByte?': bytes,
    'afterDrainMs?': ms,
  },
  stall: { at: oneOf('request', 'tunnel'), 'atByte?': bytes },
};

const proxy = shaped({
  'credentials?': text,
  'maxTunnels?': bytes,
  'rules?': listOf(shaped({ on: number, do: tagged(proxyFaults) })),
});

const scenario = shaped({
  name: that(
    'be lower-case words joined by -',
    (value) => typeof value === 'string' && /^[a-z0-9]+(?:[-.][a-z0-9]+)*$/.test(value),
  ),
  'seed?': integer,
  'resource?': resource,
  'changes?': allOf(listOf(change), inOrder),
  'requests?': listOf(shaped({ on: selector, 'where?': filter, do: faults })),
  'connections?': listOf(shaped({ on: number, 'concurrentAbove?': bytes, do: tagged(connectionFaults) })),
  'refuses?': until,
  'overflows?': until,
  'proxy?': proxy,
  'protocol?': oneOf('h2', 'h2c'),
});
