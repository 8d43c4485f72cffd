/**
 * An answer that cannot be continued when it is cut, to a request that may be made again: the pack of a git fetch. It is
 * awaited whole before its head is told, up to a bound; beyond it, it passes as it comes.
 */
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { failureOf, GaveUpError } from '../core/index.ts';
import {
  type BodyTaker,
  type ClientAnswer,
  hasBody,
  type Limits,
  type Memory,
  type ReceivedBody,
  receiveBody,
} from '../gateway/index.ts';
import { first, type Head, type HeaderRecord, lengthIn, passedFields } from './head.ts';
import { MIRROR_ATTEMPTS } from './options.ts';
import type { Origin } from './origin.ts';

/** Of one answer that is awaited. */
const HELD_BYTES = 67_108_864;

interface HeldSite {
  readonly limits: Limits;
  readonly memory: Memory;
}

export class HeldVisit {
  readonly #site: HeldSite;
  readonly #origin: Origin;
  readonly #request: IncomingMessage;
  readonly #answer: ClientAnswer;
  readonly #signal: AbortSignal;

  constructor(site: HeldSite, origin: Origin, request: IncomingMessage, answer: ClientAnswer, signal: AbortSignal) {
    this.#site = site;
    this.#origin = origin;
    this.#request = request;
    this.#answer = answer;
    this.#signal = signal;
  }

  async run(path: string): Promise<void> {
    const { memory } = this.#site;
    const taker = new HeldBody();
    try {
      const body = hasBody(this.#request) ? await this.#body(taker) : undefined;
      if (!this.#signal.aborted) await this.#attempts(path, body);
    } finally {
      memory.giveBack(taker.keptBytes);
    }
  }

  #body(taker: HeldBody): Promise<Buffer | AsyncIterable<Uint8Array>> {
    const { limits, memory } = this.#site;
    return new Promise((resolve, reject) => {
      this.#signal.addEventListener('abort', () => reject(this.#signal.reason), { once: true });
      taker.onBody = (received) => {
        if ('status' in received) reject(new Error(received.message));
        else resolve(bytesOf(received));
      };
      receiveBody(this.#request, limits, memory, taker);
    });
  }

  /** What is cut before anything of it was told is asked for again. */
  async #attempts(path: string, body: Buffer | AsyncIterable<Uint8Array> | undefined): Promise<void> {
    const headers = this.#fields();
    for (let attemptNumber = 1; ; attemptNumber += 1) {
      const repeatable = body === undefined || Buffer.isBuffer(body);
      const answer = await this.#origin.site.pool.request(path, {
        method: 'POST',
        headers,
        body: body as never,
        signal: this.#signal,
        repeatable,
      });
      const received = answer.headers as HeaderRecord;
      const head: Head = {
        status: answer.statusCode,
        headers: received,
        lengthBytes: lengthIn(received),
        url: answer.ledger.url,
      };
      try {
        await this.#pass(head, answer.body);
        return;
      } catch (error) {
        if (this.#signal.aborted || this.#answer.isStarted) {
          this.#answer.cut();
          return;
        }
        const isLast = attemptNumber >= MIRROR_ATTEMPTS || !repeatable;
        // Of a body that cannot be continued the client below gives up at once, for that reason.
        if (isLast || !(error instanceof GaveUpError) || failureOf(error)?.transient === false) throw error;
      }
    }
  }

  async #pass(head: Head, body: Readable): Promise<void> {
    let held: Buffer[] = [];
    let heldBytes = 0;
    const answer = this.#answer;
    for await (const chunk of body as AsyncIterable<Buffer>) {
      if (answer.isStarted) {
        if (!answer.write(chunk)) await this.#room();
        continue;
      }
      held.push(chunk);
      heldBytes += chunk.length;
      if (heldBytes <= HELD_BYTES) continue;
      this.#start(head, undefined);
      for (const one of held) answer.write(one);
      held = [];
    }
    if (!answer.isStarted) {
      this.#start(head, heldBytes);
      for (const one of held) answer.write(one);
    }
    answer.end();
  }

  #start(head: Head, lengthBytes: number | undefined): void {
    const fields = [...passedFields(head), 'x-reknit-cache', 'held'];
    if (lengthBytes !== undefined) fields.push('content-length', String(lengthBytes));
    this.#answer.start({ status: head.status, fields, isUnmarked: false });
  }

  #room(): Promise<void> {
    return new Promise((resolve) => {
      this.#signal.addEventListener('abort', () => resolve(), { once: true });
      this.#answer.onRoom(resolve);
    });
  }

  /** What git says of itself and of the body, which passes as it came: compressed, where git has done so. */
  #fields(): Record<string, string> {
    const { headers } = this.#request;
    const names = [
      'content-type',
      'content-encoding',
      'accept',
      'accept-language',
      'user-agent',
      'git-protocol',
      'authorization',
    ];
    const own = names.map((name) => [name, first(headers, name)] as const);
    return Object.fromEntries(own.filter((pair): pair is [string, string] => pair[1] !== undefined));
  }
}

class HeldBody implements BodyTaker {
  keptBytes = 0;
  onBody: BodyTaker['onBody'] = () => {};
}

function bytesOf(body: ReceivedBody): Buffer | AsyncIterable<Uint8Array> {
  switch (body.kind) {
    case 'none':
      return Buffer.alloc(0);
    case 'whole':
      return body.bytes;
    case 'stream':
      return body.source;
  }
}
