import { createHash } from 'node:crypto';
import { type Afterwards, act, type WriteContext, writeAnswer } from './answer-writer.ts';
import { type StopAction, uploadStop } from './delivery.ts';
import {
  type ConnectionHost,
  type ConnectionLines,
  closeExchange,
  type Exchange,
  openExchange,
  replyTo,
  replyWith,
} from './exchange.ts';
import { isDeliveryFault } from './faulty-answer.ts';
import { type RequestHead, readBody, readHead } from './request-reader.ts';
import type { LiveRun } from './run.ts';
import type { Wire } from './wire.ts';

/** Serves one accepted connection to its end over HTTP/1.1. */
export class Connection {
  readonly #wire: Wire;
  readonly #host: ConnectionHost;
  readonly #lines: ConnectionLines;
  #requestCount = 0;

  constructor(wire: Wire, lines: ConnectionLines, host: ConnectionHost) {
    this.#wire = wire;
    this.#lines = lines;
    this.#host = host;
  }

  async serve(): Promise<void> {
    while ((await this.#serveNext()) === 'next');
  }

  async #serveNext(): Promise<Afterwards> {
    const read = await readHead(this.#wire.input);
    if (read.kind === 'ended') {
      this.#wire.close('fin');
      return 'over';
    }
    if (read.kind === 'malformed') return this.#refuseMalformed(read.why);
    this.#requestCount += 1;
    const run = this.#host.runFor(read.head.target);
    return run === undefined ? this.#showPage(read.head) : this.#serveRun(run, read.head);
  }

  async #serveRun(run: LiveRun, head: RequestHead): Promise<Afterwards> {
    const exchange = openExchange(run, head, this.#requestCount, this.#lines.join(run));
    try {
      const writing = this.#writeContext(exchange);
      if ((await this.#receive(exchange, writing)) === 'over') return 'over';
      const { answer, delivery } = replyTo(exchange, writing.nowMs, this.#host.origin);
      return await writeAnswer(answer, delivery, writing);
    } finally {
      closeExchange(exchange);
    }
  }

  /** Reads the request's body, or as much of it as the faults let through. */
  async #receive({ head, record, faults }: Exchange, writing: WriteContext): Promise<'complete' | 'over'> {
    const stop = uploadStop(faults.filter(isDeliveryFault));
    if (/100-continue/i.test(head.headers.expect ?? '') && stop?.atByte !== 0) {
      await this.#wire.write([Buffer.from('HTTP/1.1 100 Continue\r\n\r\n')]);
    }
    const hash = createHash('sha256');
    const take = (bytes: Buffer) => {
      record.bodyBytes += bytes.length;
      hash.update(bytes);
    };
    const interruption = stop && { atByte: stop.atByte, happen: () => this.#interrupt(stop.action, writing) };
    const end = await readBody(this.#wire.input, head.headers, take, interruption);
    record.bodySha256 = hash.digest('hex');
    if (end === 'stopped') return 'over';
    if (end === 'complete') return end;
    record.answered.endedBy = 'client';
    if (end === 'malformed') await this.#refuseMalformed('the framing of the body');
    else this.#wire.close('fin');
    return 'over';
  }

  async #interrupt(action: StopAction, writing: WriteContext): Promise<boolean> {
    this.#wire.stopReading();
    const afterwards = await act(action, writing);
    this.#wire.resumeReading();
    return afterwards === 'next';
  }

  #writeContext({ run, head, record }: Exchange): WriteContext {
    return {
      wire: this.#wire,
      head,
      nowMs: this.#host.nowMs(),
      sent: record.answered,
      // A lab that closes lets everyone through to a socket that is gone.
      gate: (name) => run.pass(name).catch(() => {}),
      changed: () => run.signals.changed(),
    };
  }

  async #refuseMalformed(why: string): Promise<Afterwards> {
    const body = `malformed request: ${why}\n`;
    const head = `HTTP/1.1 400 Bad Request\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n`;
    await this.#wire.write([Buffer.from(head + body)]);
    this.#wire.close('fin');
    return 'over';
  }

  async #showPage(head: RequestHead): Promise<Afterwards> {
    if ((await readBody(this.#wire.input, head.headers, () => {})) !== 'complete') {
      this.#wire.close('fin');
      return 'over';
    }
    const { answer, delivery } = replyWith(this.#host.pageFor(head.target, head.headers.accept ?? ''));
    return writeAnswer(answer, delivery, {
      wire: this.#wire,
      head,
      nowMs: this.#host.nowMs(),
      sent: { headersSent: false, bodyBytesSent: 0, endedBy: 'none', complete: false },
      gate: () => Promise.resolve(),
      changed: () => {},
    });
  }
}
