import { type Afterwards, longestStallMs } from '../answer-writer.ts';
import { type Delivery, type Prelude, type StopAction, stepAt } from '../delivery.ts';
import { pauseUntil } from '../drain.ts';
import type { Reply } from '../exchange.ts';
import type { AnswerRecord, Mutable } from '../record.ts';
import type { RequestHead } from '../request-reader.ts';
import type { EndedHow } from '../scenario.ts';
import { sendTlsRecord } from '../tls-record.ts';
import { fieldsOfAnswer, fieldsOfHeaders } from './fields.ts';
import { flags, frameHead, frameTypes, headersFrames, maxPayloadBytes, rstStreamFrame } from './frames.ts';
import { encodeFields } from './hpack.ts';
import { oddFrame } from './odd-frames.ts';
import type { Stream } from './stream.ts';
import type { StreamHost } from './stream-host.ts';

/** What the writer needs beside the answer. */
export interface StreamContext {
  readonly session: StreamHost;
  readonly stream: Stream;
  readonly head: RequestHead;
  readonly nowMs: number;
  /** Kept up to date while writing. */
  readonly sent: Mutable<AnswerRecord>;
  /** Resolves when the gate of this name is open. */
  gate(name: string): Promise<void>;
  /** Called after each change of `sent`. */
  changed(): void;
}

/** Writes one answer frame by frame as the delivery says. */
export async function writeReply({ answer, delivery }: Reply, context: StreamContext): Promise<void> {
  const { session, stream, sent } = context;
  for (const step of delivery.before) {
    if ((await takeStep(step, context)) === 'over') return;
  }
  if (delivery.cutInstead !== undefined) return cut(context, delivery.cutInstead);
  if (answer.instead !== undefined) {
    await session.send([answer.instead]);
    return cut(context, 'fin');
  }
  const hasBody = context.head.method !== 'HEAD' && answer.status !== 304 && answer.status !== 204;
  const bodyBytes = hasBody ? answer.body.sizeBytes : 0;
  const isAllHead = bodyBytes === 0 && delivery.inBody.length === 0 && delivery.atEnd.length === 0;
  const block = encodeFields(fieldsOfAnswer(answer, context.nowMs));
  const headBytes = headersFrames(stream.id, block, isAllHead ? 'ends-stream' : 'goes-on');
  sent.status = answer.status;
  if ((await writeHead(headBytes, delivery, context)) === 'over') return;
  sent.headersSent = true;
  if (!isAllHead && (await new BodyWriter({ answer, delivery }, bodyBytes, context).run()) === 'over') return;
  sent.complete = answer.declaredBytes === undefined || !hasBody || answer.declaredBytes <= bodyBytes;
  sent.endedBy = sent.complete ? 'complete' : 'end-stream';
  context.changed();
  if (delivery.after === undefined) return;
  const { afterMs, by } = delivery.after;
  if (by === 'rst') await session.wire.drain(Math.max(afterMs, 1));
  else await pauseUntil(afterMs, session.wire.left);
  session.cut(by);
}

async function writeHead(headBytes: Buffer, delivery: Delivery, context: StreamContext): Promise<Afterwards> {
  const { session, stream } = context;
  if (delivery.headPace !== undefined) {
    const { chunkBytes, everyMs } = delivery.headPace;
    for (let at = 0; at < headBytes.length; at += chunkBytes) {
      if (at > 0) await pauseUntil(everyMs, stream.left);
      if (!(await session.send([headBytes.subarray(at, at + chunkBytes)]))) return leftBy(context);
    }
    return 'next';
  }
  if (delivery.insideHead === undefined) return (await session.send([headBytes])) ? 'next' : leftBy(context);
  const { atByte = Math.floor(headBytes.length / 2), action } = delivery.insideHead;
  if (!(await session.send([headBytes.subarray(0, atByte)]))) return leftBy(context);
  if ((await act(action, context)) === 'over') return 'over';
  return (await session.send([headBytes.subarray(atByte)])) ? 'next' : leftBy(context);
}

async function takeStep(step: Prelude, context: StreamContext): Promise<Afterwards> {
  switch (step.kind) {
    case 'delay':
      await pauseUntil(step.delayMs, context.stream.left);
      return context.stream.hasLeft ? leftBy(context) : 'next';
    case 'informational': {
      const fields = [[':status', String(step.status)] as const, ...fieldsOfHeaders(Object.entries(step.headers))];
      await context.session.send([headersFrames(context.stream.id, encodeFields(fields), 'goes-on')]);
      return 'next';
    }
    case 'gate':
    case 'stall':
    case 'tls-record':
    case 'rst-stream':
    case 'goaway':
    case 'end-stream':
    case 'odd-frame':
      return act(step, context);
  }
}

/** Does what a place in the answer asks for. */
export async function act(action: StopAction, context: StreamContext): Promise<Afterwards> {
  const { session, stream, sent } = context;
  switch (action.kind) {
    case 'cut':
      await session.wire.drain(action.drainMs);
      cut(context, action.by);
      return 'over';
    case 'stall':
      await pauseUntil(action.forMs ?? longestStallMs, stream.left);
      if (stream.hasLeft) sent.endedBy = 'stall';
      return stream.hasLeft ? 'over' : 'next';
    case 'gate':
      await Promise.race([context.gate(action.name), stream.left]);
      return stream.hasLeft ? leftBy(context) : 'next';
    case 'junk':
      await session.send([action.bytes]);
      cut(context, 'fin');
      return 'over';
    case 'tls-record':
      if (action.which === 'garbage') return (await sendTlsRecord(action, session.wire)) ? 'next' : leftBy(context);
      await sendTlsRecord(action, session.wire);
      cut(context, 'bare-fin');
      return 'over';
    case 'rst-stream':
      sent.endedBy = 'rst-stream';
      await session.send([rstStreamFrame(stream.id, action.code)]);
      return 'over';
    case 'goaway':
      if (action.covers === 'earlier') sent.endedBy = 'goaway';
      await session.goaway(action.covers === 'earlier' ? Math.max(0, stream.id - 2) : stream.id, action.code);
      return action.covers === 'earlier' ? 'over' : 'next';
    case 'end-stream':
      sent.endedBy = 'end-stream';
      await session.send([frameHead(0, frameTypes.data, flags.endStream, stream.id)]);
      return 'over';
    case 'odd-frame':
      return (await session.send([oddFrame(action.which, stream.id)])) ? 'next' : leftBy(context);
  }
}

function cut({ session, sent }: StreamContext, by: EndedHow): void {
  sent.endedBy = by === 'rst' ? 'rst' : 'fin';
  session.cut(by);
}

/** A neighbour's cut ends every stream of the connection. */
function leftBy({ session, sent }: StreamContext): 'over' {
  const { cutBy } = session;
  if (sent.endedBy === 'none') sent.endedBy = cutBy === undefined ? 'client' : cutBy === 'rst' ? 'rst' : 'fin';
  return 'over';
}

/** Whether a DATA frame ends with its bytes, is left open behind them, or ends the stream. */
type SpanEnd = 'closed' | 'open' | 'ends-stream';

/** Writes a body from stop to stop in DATA frames. */
class BodyWriter {
  readonly #reply: Reply;
  readonly #bodyBytes: number;
  readonly #context: StreamContext;

  constructor(reply: Reply, bodyBytes: number, context: StreamContext) {
    this.#reply = reply;
    this.#bodyBytes = bodyBytes;
    this.#context = context;
  }

  async run(): Promise<Afterwards> {
    const { inBody, atEnd } = this.#reply.delivery;
    let at = 0;
    for (const { atByte, action } of inBody) {
      const end = action.kind === 'cut' && action.chunk === 'inside' ? 'open' : 'closed';
      if (!(await this.#writeSpan(at, atByte, end))) return leftBy(this.#context);
      if ((await act(action, this.#context)) === 'over') return 'over';
      at = atByte;
    }
    const endsHere = atEnd.length === 0 && at < this.#bodyBytes;
    if (!(await this.#writeSpan(at, this.#bodyBytes, endsHere ? 'ends-stream' : 'closed')))
      return leftBy(this.#context);
    for (const action of atEnd) {
      if ((await act(action, this.#context)) === 'over') return 'over';
    }
    if (endsHere) return 'next';
    const { session, stream } = this.#context;
    const ended = await session.send([frameHead(0, frameTypes.data, flags.endStream, stream.id)]);
    return ended ? 'next' : leftBy(this.#context);
  }

  async #writeSpan(from: number, to: number, end: SpanEnd): Promise<boolean> {
    const { session, stream, sent } = this.#context;
    for (let at = from; at < to; ) {
      const step = stepAt(this.#reply.delivery.pace, at);
      const bytes = await session.reserve(stream, Math.min(step.bytes, to - at));
      if (bytes === 0) return false;
      const isLast = at + bytes === to;
      if (!(await session.send(this.#frames(at, at + bytes, isLast ? end : 'closed')))) return false;
      at += bytes;
      sent.bodyBytesSent += bytes;
      this.#context.changed();
      if (step.pauseMs > 0) await pauseUntil(step.pauseMs, stream.left);
    }
    return true;
  }

  #frames(from: number, to: number, end: SpanEnd): Buffer[] {
    const { body } = this.#reply.answer;
    const parts: Buffer[] = [];
    for (let at = from; at < to; at += maxPayloadBytes) {
      const stop = Math.min(at + maxPayloadBytes, to);
      const isLast = stop === to;
      const flagBits = isLast && end === 'ends-stream' ? flags.endStream : flags.none;
      // A frame that is cut inside had been meant to carry what would have followed.
      const payloadBytes = isLast && end === 'open' ? Math.min(maxPayloadBytes, this.#bodyBytes - at) : stop - at;
      parts.push(frameHead(payloadBytes, frameTypes.data, flagBits, this.#context.stream.id), body.read(at, stop));
    }
    return parts;
  }
}
