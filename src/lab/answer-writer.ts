import { STATUS_CODES } from 'node:http';
import type { Answer } from './answer.ts';
import { type Delivery, type Prelude, type StopAction, stepAt } from './delivery.ts';
import type { AnswerRecord, Mutable } from './record.ts';
import type { RequestHead } from './request-reader.ts';
import type { EndedHow, TrickleFault } from './scenario.ts';
import { sendTlsRecord } from './tls-record.ts';
import type { Wire } from './wire.ts';

/** What the writer needs beside the answer. */
export interface WriteContext {
  readonly wire: Wire;
  readonly head: RequestHead;
  readonly nowMs: number;
  /** Kept up to date while writing. */
  readonly sent: Mutable<AnswerRecord>;
  /** Resolves when the gate of this name is open. */
  gate(name: string): Promise<void>;
  /** Called after each change of `sent`. */
  changed(): void;
}

/** Whether the connection goes on to a next request. */
export type Afterwards = 'next' | 'over';

const chunkBytes = 64 * 1024;

/** Writes one answer byte for byte as the delivery says. */
export async function writeAnswer(answer: Answer, delivery: Delivery, context: WriteContext): Promise<Afterwards> {
  for (const step of delivery.before) {
    if (!(await takeStep(step, context))) return leftBy(context);
  }
  if (delivery.cutInstead !== undefined) return cut(context, delivery.cutInstead);
  if (answer.instead !== undefined) return writeInstead(answer.instead, context);
  const plan = planOf(answer, delivery, context.head);
  const headBytes = Buffer.from(headOf(answer, plan, context), 'latin1');
  context.sent.status = answer.status;
  if (delivery.insideHead !== undefined) {
    const { atByte = Math.floor(headBytes.length / 2), action } = delivery.insideHead;
    if (!(await context.wire.write([headBytes.subarray(0, atByte)]))) return leftBy(context);
    if ((await act(action, context)) === 'over') return 'over';
    if (!(await context.wire.write([headBytes.subarray(atByte)]))) return leftBy(context);
  }
  if (delivery.headPace !== undefined && !(await trickleHead(headBytes, delivery.headPace, context.wire))) {
    return leftBy(context);
  }
  const isHeadSent = delivery.insideHead !== undefined || delivery.headPace !== undefined;
  const unsentHead = isHeadSent ? undefined : headBytes;
  if (isHeadSent) context.sent.headersSent = true;
  return new BodyWriter(answer, delivery, plan, context, unsentHead).run();
}

async function trickleHead(head: Buffer, { chunkBytes, everyMs }: TrickleFault, wire: Wire): Promise<boolean> {
  for (let at = 0; at < head.length; at += chunkBytes) {
    if (at > 0 && !(await wire.pause(everyMs))) return false;
    if (!(await wire.write([head.subarray(at, at + chunkBytes)]))) return false;
  }
  return true;
}

/** How the end of this answer is marked on the wire. */
interface WirePlan {
  readonly framing: Answer['framing'];
  readonly hasBody: boolean;
  readonly endsConnection: boolean;
}

function planOf(answer: Answer, delivery: Delivery, head: RequestHead): WirePlan {
  const framing = answer.framing === 'chunked' && head.version === 'HTTP/1.0' ? 'close' : answer.framing;
  const asksClose = /\bclose\b/i.test(head.headers.connection ?? '') || head.version === 'HTTP/1.0';
  return {
    framing,
    hasBody: head.method !== 'HEAD' && answer.status !== 304 && answer.status !== 204,
    endsConnection: framing === 'close' || answer.isLast || asksClose || delivery.saysClose,
  };
}

function headOf(answer: Answer, plan: WirePlan, { nowMs }: WriteContext): string {
  const lines = [`HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? 'Unknown'}`];
  lines.push(`Date: ${new Date(nowMs).toUTCString()}`);
  for (const [name, value] of answer.headers) lines.push(`${name}: ${value}`);
  const sizeBytes = answer.declaredBytes ?? answer.body.sizeBytes;
  if (plan.framing === 'chunked') lines.push('Transfer-Encoding: chunked');
  else if (plan.framing === 'length' && answer.status !== 204 && answer.status !== 304) {
    lines.push(`Content-Length: ${sizeBytes}`);
  }
  // A wrong Content-Length that announced the end would be another fault: `cut` with `connection`.
  const saysClose = plan.endsConnection && answer.declaredBytes === undefined;
  lines.push(`Connection: ${saysClose ? 'close' : 'keep-alive'}`, '', '');
  return lines.join('\r\n');
}

async function takeStep(step: Prelude, context: WriteContext): Promise<boolean> {
  const { wire } = context;
  switch (step.kind) {
    case 'delay':
      return wire.pause(step.delayMs);
    case 'informational': {
      const headers = Object.entries(step.headers).map(([name, value]) => `${name}: ${value}\r\n`);
      return wire.write([Buffer.from(`HTTP/1.1 ${step.status} Informational\r\n${headers.join('')}\r\n`, 'latin1')]);
    }
    case 'gate':
    case 'stall':
    case 'tls-record':
    case 'rst-stream':
    case 'goaway':
    case 'end-stream':
    case 'odd-frame':
      return (await act(step, context)) === 'next';
  }
}

/** Does what a place in the answer asks for. */
export async function act(action: StopAction, context: WriteContext): Promise<Afterwards> {
  const { wire, sent } = context;
  switch (action.kind) {
    case 'cut':
      await wire.drain(action.drainMs);
      return cut(context, action.by);
    case 'stall':
      if (await wire.pause(action.forMs ?? longestStallMs)) return 'next';
      sent.endedBy = 'stall';
      wire.close('fin');
      return 'over';
    case 'gate':
      await Promise.race([context.gate(action.name), wire.left]);
      return wire.hasLeft ? leftBy(context) : 'next';
    case 'junk':
      await wire.write([action.bytes]);
      return cut(context, 'fin');
    case 'tls-record':
      if (action.which === 'garbage') return (await sendTlsRecord(action, wire)) ? 'next' : leftBy(context);
      await sendTlsRecord(action, wire);
      return cut(context, 'bare-fin');
    case 'rst-stream':
    case 'goaway':
    case 'end-stream':
    case 'odd-frame':
      return 'next';
  }
}

/** The longest timer that Node has; nobody waits for it. */
export const longestStallMs = 2 ** 31 - 1;

function cut({ wire, sent }: WriteContext, by: EndedHow): Afterwards {
  sent.endedBy = by === 'rst' ? 'rst' : 'fin';
  wire.close(by);
  return 'over';
}

function leftBy({ wire, sent }: WriteContext): Afterwards {
  if (sent.endedBy === 'none') sent.endedBy = 'client';
  wire.close('fin');
  return 'over';
}

async function writeInstead(bytes: Buffer, context: WriteContext): Promise<Afterwards> {
  return (await context.wire.write([bytes])) ? cut(context, 'fin') : leftBy(context);
}

/** Writes a body from stop to stop in its framing. */
class BodyWriter {
  readonly #answer: Answer;
  readonly #delivery: Delivery;
  readonly #plan: WirePlan;
  readonly #context: WriteContext;
  /** The head travels with the first piece, as it does from real servers. */
  #unsentHead: Buffer | undefined;

  constructor(answer: Answer, delivery: Delivery, plan: WirePlan, context: WriteContext, head: Buffer | undefined) {
    this.#answer = answer;
    this.#delivery = delivery;
    this.#plan = plan;
    this.#context = context;
    this.#unsentHead = head;
  }

  async run(): Promise<Afterwards> {
    let at = 0;
    if (this.#plan.hasBody) {
      for (const { atByte, action } of this.#delivery.inBody) {
        const leavesChunkOpen = action.kind === 'cut' && action.chunk === 'inside';
        if (!(await this.#writeSpan(at, atByte, leavesChunkOpen ? 'open' : 'closed'))) return leftBy(this.#context);
        if (!(await this.#flushHead())) return leftBy(this.#context);
        if ((await act(action, this.#context)) === 'over') return 'over';
        at = atByte;
      }
      if (!(await this.#writeSpan(at, this.#answer.body.sizeBytes, 'closed'))) return leftBy(this.#context);
    }
    return this.#finish();
  }

  async #finish(): Promise<Afterwards> {
    const { framing, hasBody, endsConnection } = this.#plan;
    const { atEnd, after } = this.#delivery;
    const { wire, sent } = this.#context;
    if (!(await this.#flushHead())) return leftBy(this.#context);
    const hasEndMark = framing === 'chunked' && hasBody;
    if (!hasEndMark && framing === 'length') sent.complete = this.#isAllSent();
    for (const action of atEnd) {
      if ((await act(action, this.#context)) === 'over') return 'over';
    }
    if (hasEndMark && !(await wire.write([Buffer.from('0\r\n\r\n')]))) return leftBy(this.#context);
    sent.complete = this.#isAllSent();
    sent.endedBy = sent.complete ? 'complete' : 'fin';
    if (after !== undefined) {
      // A reset would take what the kernel still holds of the answer with it.
      if (after.by === 'rst') await wire.drain(Math.max(after.afterMs, 1));
      else await wire.pause(after.afterMs);
      wire.close(after.by);
      return 'over';
    }
    if (endsConnection) wire.close('fin');
    return endsConnection ? 'over' : 'next';
  }

  #isAllSent(): boolean {
    const { declaredBytes, body } = this.#answer;
    return !this.#plan.hasBody || declaredBytes === undefined || declaredBytes <= body.sizeBytes;
  }

  async #flushHead(): Promise<boolean> {
    return this.#unsentHead === undefined || this.#writeParts([], 0);
  }

  /** Writes body bytes [from, to); `open` leaves the last chunk of chunked framing unfinished. */
  async #writeSpan(from: number, to: number, lastChunk: 'open' | 'closed'): Promise<boolean> {
    for (let at = from; at < to; ) {
      const stepBytes = stepAt(this.#delivery.pace, at);
      const end = Math.min(at + stepBytes.bytes, to);
      const isOpen = lastChunk === 'open' && end === to;
      const parts =
        this.#plan.framing === 'chunked' ? this.#chunks(at, end, isOpen) : [this.#answer.body.read(at, end)];
      if (!(await this.#writeParts(parts, end - at))) return false;
      at = end;
      // Behind the last byte there is nothing to slow down, and whoever has it may leave.
      const pauseMs = at < this.#answer.body.sizeBytes ? stepBytes.pauseMs : 0;
      if (pauseMs > 0 && !(await this.#context.wire.pause(pauseMs))) return false;
    }
    return true;
  }

  #chunks(from: number, to: number, isOpen: boolean): Buffer[] {
    const parts: Buffer[] = [];
    for (let at = from; at < to; at += chunkBytes) {
      const end = Math.min(at + chunkBytes, to);
      const staysOpen = isOpen && end === to;
      const sizeBytes = end - at + (staysOpen ? chunkBytes : 0);
      parts.push(Buffer.from(`${sizeBytes.toString(16)}\r\n`), this.#answer.body.read(at, end));
      if (!staysOpen) parts.push(Buffer.from('\r\n'));
    }
    return parts;
  }

  async #writeParts(parts: readonly Buffer[], bodyBytes: number): Promise<boolean> {
    const { wire, sent } = this.#context;
    const all = this.#unsentHead === undefined ? parts : [this.#unsentHead, ...parts];
    this.#unsentHead = undefined;
    if (!(await wire.write(all))) return false;
    sent.headersSent = true;
    sent.bodyBytesSent += bodyBytes;
    this.#context.changed();
    return true;
  }
}
