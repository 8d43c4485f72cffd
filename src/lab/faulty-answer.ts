/** Wrong answers, each made from the right one. Pure. */
import {
  type Answer,
  type AnswerContext,
  answerForSelection,
  contentRange,
  correctAnswer,
  notSatisfiable,
  plainAnswer,
  representationFor,
  resourceAnswer,
  withHeader,
} from './answer.ts';
import { resolvePosition } from './body-position.ts';
import { emptySource, filler, flipped, partOf, sourceOfText } from './byte-source.ts';
import { selectRange } from './range-semantics.ts';
import type { AnswerFault, DeliveryFault, Fault, RedirectFault, StatusFault } from './scenario.ts';
import { createToken } from './verdict.ts';
import { wrong206 } from './wrong-206.ts';

/** What else a wrong answer needs to know. */
export interface FaultContext extends AnswerContext {
  readonly seed: number;
  readonly requestNumber: number;
  /** The path of a file of the same run, with the query that leads back to it. */
  pathOf(file: string, query?: Readonly<Record<string, string>>): string;
  /** Another origin by which the same run can be reached. */
  readonly otherOrigin: string;
}

type FaultOf<K extends AnswerFault['kind']> = Extract<AnswerFault, { kind: K }>;
type Makers = {
  readonly [K in AnswerFault['kind']]: (answer: Answer, fault: FaultOf<K>, context: FaultContext) => Answer;
};

/** The answer that the faults leave of the right one, applied in their order. */
export function answerFor(faults: readonly Fault[], context: FaultContext): Answer {
  return faults.reduce(
    (answer, fault) => (isAnswerFault(fault) ? make(answer, fault, context) : answer),
    correctAnswer(context),
  );
}

export function isAnswerFault(fault: Fault): fault is AnswerFault {
  return fault.kind in makers;
}

export function isDeliveryFault(fault: Fault): fault is DeliveryFault {
  return !(fault.kind in makers);
}

function make(answer: Answer, fault: AnswerFault, context: FaultContext): Answer {
  const maker = makers[fault.kind] as (answer: Answer, fault: AnswerFault, context: FaultContext) => Answer;
  return maker(answer, fault, context);
}

const loginPage = '<!doctype html><html><title>Sign in to the network</title><p>Please sign in to go on.</p></html>\n';

const makers: Makers = {
  status: (_answer, fault, context) => statusAnswer(fault, context),
  'empty-200': (answer) => ({ ...resetBody(answer), status: 200, body: emptySource }),
  'captive-portal': (_answer, fault) => plainAnswer(200, 'text/html', sourceOfText(fault.bodyText ?? loginPage)),
  'wrong-206': (_answer, fault, context) => wrong206(fault.how, fault.byBytes, context),
  '200-with-content-range': (_answer, _fault, context) => ({ ...askedPart(context), status: 200 }),
  '416': (_answer, fault, context) => {
    const answer = notSatisfiable(representationFor(context).source.sizeBytes);
    return fault.contentRange === 'absent' ? withHeader(answer, 'Content-Range', undefined) : answer;
  },
  '412': (_answer, _fault, context) => answerForSelection(context, { kind: 'precondition-failed' }),
  'if-range-ignored': (_answer, _fault, context) => correctAnswer(without(context, 'if-range')),
  'range-ignored': (_answer, _fault, context) => correctAnswer(without(context, 'range')),
  'wrong-length': (answer, fault) => ({
    ...answer,
    framing: 'length',
    declaredBytes: answer.body.sizeBytes + fault.byBytes,
    // Too few bytes can only be ended by the connection; too many may come on a connection that goes on.
    isLast: answer.isLast || fault.byBytes > 0,
  }),
  corrupt: (answer, fault, { seed, requestNumber }) => {
    const { sizeBytes } = answer.body;
    const at = resolvePosition(fault, { sizeBytes, startsAt: answer.startsAt, seed, requestNumber });
    if (at === undefined || sizeBytes === 0) return answer;
    return { ...answer, body: flipped(answer.body, at, Math.min(at + (fault.bytes ?? 1), sizeBytes)) };
  },
  // A client that refuses the coding gets the right bytes.
  'gzip-damage': (answer, fault, context) =>
    representationFor(context).encoding === 'gzip' ? damageGzip(answer, fault.how) : answer,
  'not-http': (answer, fault) => ({
    ...answer,
    instead: Buffer.from(fault.text ?? 'SSH-2.0-OpenSSH_9.2\r\nthis is not HTTP at all\r\n', 'latin1'),
    isLast: true,
  }),
  redirect: (_answer, fault, context) => redirect(fault, context),
};

function statusAnswer(fault: StatusFault, context: FaultContext): Answer {
  const text = fault.bodyText ?? `status ${fault.status}\n`;
  const hasNoBody = fault.status === 204 || fault.status === 304;
  const body = fault.bodyBytes === undefined ? sourceOfText(hasNoBody ? '' : text) : filler(fault.bodyBytes);
  let answer = plainAnswer(fault.status, hasNoBody ? undefined : (fault.contentType ?? 'text/plain'), body);
  if (fault.retryAfter !== undefined) answer = withHeader(answer, 'Retry-After', fault.retryAfter);
  if (fault.retryAfterDateInMs !== undefined) {
    answer = withHeader(answer, 'Retry-After', new Date(context.nowMs + fault.retryAfterDateInMs).toUTCString());
  }
  for (const [name, value] of Object.entries(fault.headers ?? {})) answer = withHeader(answer, name, value);
  return answer;
}

/** The part that was asked for, whatever the resource says about ranges and the client about validators. */
function askedPart(context: AnswerContext): Answer {
  const { source } = representationFor(context);
  const selected = selectRange(context.head.headers.range ?? 'bytes=0-', source.sizeBytes);
  if (selected.kind !== 'part') return resourceAnswer(context, 200);
  const answer = resourceAnswer(context, 206, selected.span);
  return withHeader(answer, 'Content-Range', contentRange(selected.span, source.sizeBytes));
}

function without(context: AnswerContext, name: string): AnswerContext {
  const { [name]: _dropped, ...headers } = context.head.headers;
  return { ...context, head: { ...context.head, headers } };
}

function resetBody(answer: Answer): Answer {
  const plain = withHeader(answer, 'Content-Range', undefined);
  return { ...plain, framing: 'length', startsAt: 0 };
}

const gzipTrailerBytes = 8;

function damageGzip(answer: Answer, how: FaultOf<'gzip-damage'>['how']): Answer {
  const { body } = answer;
  const { sizeBytes } = body;
  switch (how) {
    case 'truncated':
      return { ...answer, body: partOf(body, 0, Math.floor(sizeBytes / 2)) };
    case 'flipped':
      return { ...answer, body: flipped(body, Math.floor(sizeBytes / 2), Math.floor(sizeBytes / 2) + 1) };
    case 'trailer':
      return { ...answer, body: partOf(body, 0, Math.max(0, sizeBytes - gzipTrailerBytes)) };
  }
}

function redirect(fault: RedirectFault, context: FaultContext): Answer {
  const answer = plainAnswer(fault.status, 'text/plain', sourceOfText('moved\n'));
  return withHeader(answer, 'Location', locationOf(fault, context));
}

function locationOf({ to, validForRequests = 1 }: RedirectFault, context: FaultContext): string {
  if (to === 'self') return context.head.target;
  if (to === 'signed')
    return context.pathOf('signed.bin', { token: createToken(validForRequests, context.requestNumber) });
  if (to === 'other-origin') return `${context.otherOrigin}${context.pathOf('elsewhere.bin')}`;
  if (to.includes('/')) return to;
  return context.pathOf(to);
}
