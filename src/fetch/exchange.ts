/** One call as its caller meets it: the answer and its body, the signal, the deadline, and that nothing is left behind. */
import { deadlineFailure, type Ledger, type Outcome, type RequestRules } from '../core/index.ts';
import { type Abortable, listenTo } from './abort-listener.ts';
import { type ByteFeed, createAnswer, type FeedController } from './answer.ts';
import { Healing } from './healing.ts';
import { Life, type Shared } from './life.ts';
import type { Outgoing } from './outgoing.ts';
import { asPlatformError } from './platform-error.ts';
import { Waiting } from './waiting.ts';

export class Exchange implements Abortable, ByteFeed {
  readonly #life: Life;
  readonly #outgoing: Outgoing;
  readonly #waiting = new Waiting();
  readonly #healing: Healing;
  readonly #stopListening: () => void;
  #controller: FeedController | undefined;
  #isClosed = false;

  constructor(shared: Shared, rules: RequestRules, outgoing: Outgoing) {
    this.#outgoing = outgoing;
    this.#life = new Life(shared, rules, outgoing, () => this.#onDeadline());
    this.#healing = new Healing(this.#life, outgoing, this.#waiting);
    this.#stopListening = outgoing.signal === undefined ? () => {} : listenTo(outgoing.signal, this);
  }

  get ledger(): Ledger {
    return this.#life.ledger;
  }

  /** The answer as soon as its headers are there and accepted; its body is fed by `feed`. */
  async answer(): Promise<Response> {
    try {
      this.#life.emit({ type: 'attempt' });
      await this.#healing.prepare();
      const inner = await this.#healing.open();
      this.#waiting.throwIfEnded();
      return this.#handOver(inner);
    } catch (error) {
      throw this.#fail(error, 'fetch failed');
    }
  }

  #handOver(inner: Response): Response {
    if (this.#outgoing.method === 'HEAD' || inner.body === null) {
      this.#healing.letGo();
      this.#close(this.#healing.outcome);
      return inner;
    }
    const answer = createAnswer(inner, this);
    // Nobody reads an empty body; whoever did not would leave its request open.
    if (this.#healing.isFull) {
      this.#life.ledger.integrity = 'length';
      this.#close(this.#healing.outcome);
    }
    return answer;
  }

  attach(controller: FeedController): void {
    this.#controller = controller;
  }

  async feed(controller: FeedController): Promise<void> {
    try {
      const chunk = this.#isClosed ? undefined : await this.#healing.next();
      if (this.#waiting.isEnded) return;
      if (chunk === undefined) this.#finish(controller);
      else controller.enqueue(chunk);
    } catch (error) {
      const seen = this.#fail(error, 'terminated');
      if (!this.#waiting.isEnded) controller.error(seen);
    }
  }

  #finish(controller: FeedController): void {
    this.#close(this.#healing.outcome);
    controller.close();
    controller.byobRequest?.respond(0);
  }

  cancel(reason: unknown): void {
    this.#end(reason, 'aborted');
  }

  abort(reason: unknown): void {
    this.#end(reason, 'aborted');
  }

  #onDeadline(): void {
    if (this.#isClosed) return;
    const { hasAnswer, isPausing, place } = this.#healing;
    const last = isPausing ? this.#life.attempt.failure : undefined;
    const failure = last ?? deadlineFailure(hasAnswer ? 'body' : 'wait');
    const error = this.#life.giveUp('deadline', failure, undefined, place);
    this.#end(asPlatformError(error, this.#controller === undefined ? 'fetch failed' : 'terminated'), 'failed');
  }

  /** Ended from outside of the loop: whoever waits or reads hears it at once. */
  #end(error: unknown, outcome: Outcome): void {
    if (this.#isClosed) return;
    this.#waiting.end(error);
    this.#controller?.error(error);
    this.#close(outcome);
  }

  /** What the caller is to see of an error that ended the loop. */
  #fail(error: unknown, text: 'fetch failed' | 'terminated'): unknown {
    if (this.#waiting.isEnded) return error;
    this.#close('failed');
    return asPlatformError(error, text);
  }

  /** Nothing is left behind: no timer, no listener, no hop. */
  #close(outcome: Outcome): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#life.attempt.newBytes = this.#healing.newBytes;
    this.#healing.close();
    this.#stopListening();
    this.#outgoing.body.release();
    this.#life.end(outcome);
  }
}
