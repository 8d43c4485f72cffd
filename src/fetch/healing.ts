/**
 * The loop over the attempts of one call: sends hops, judges their answers, joins their bodies, and obeys the decisions of
 * core. It holds no policy. A loop, never a recursion.
 */
import {
  type BodyPlace,
  changedFailure,
  type Decision,
  type Delivery,
  type Failure,
  type Outcome,
  type ResumePlan,
  type Step,
  unreadableBody,
} from '../core/index.ts';
import type { Timer } from '../runtime/index.ts';
import { fetchFailure, hidesItsReason } from './failures.ts';
import { FetchHop } from './hop.ts';
import { isAlike, judgeResume, judgeStatus } from './judge.ts';
import type { Life } from './life.ts';
import { limitsFor } from './limits.ts';
import type { Outgoing } from './outgoing.ts';
import { Reader } from './reader.ts';
import { type PickedFields, pickFields } from './response-fields.ts';
import { type BodyStep, endOf, type Trouble, troubleOf } from './trouble.ts';
import type { Waiting } from './waiting.ts';
import { type WaitPhase, WaitWatch, type Watchee, type WatchLimits } from './watch.ts';

export class Healing implements Watchee {
  readonly #life: Life;
  readonly #outgoing: Outgoing;
  readonly #waiting: Waiting;
  readonly #watch: WaitWatch;
  #hop: FetchHop | undefined;
  #plan: ResumePlan | undefined;
  #reader: Reader | undefined;
  #attemptStartByte = 0;
  /** The answer that is accepted, and whose bytes can be read. */
  #accepted: Response | undefined;
  isPausing = false;
  /** How the request ends if its body does. */
  outcome: Outcome = 'complete';

  constructor(life: Life, outgoing: Outgoing, waiting: Waiting) {
    this.#life = life;
    this.#outgoing = outgoing;
    this.#waiting = waiting;
    this.#watch = new WaitWatch(this, life.shared.sweep, life.shared.runtime.clock);
  }

  get place(): BodyPlace {
    return { atByte: this.#reader?.atByte ?? 0, totalBytes: this.#reader?.endByte };
  }

  get hasAnswer(): boolean {
    return this.#reader !== undefined;
  }

  /** The answer is known to have no bytes (any more). */
  get isFull(): boolean {
    return this.#reader?.isFull === true;
  }

  /** Body bytes of this attempt that the reader had not had before. */
  get newBytes(): number {
    return this.#reader === undefined ? 0 : this.#reader.atByte - this.#attemptStartByte;
  }

  /** Reads what has to be read of the request before its first attempt. */
  async prepare(): Promise<void> {
    try {
      await this.#waiting.for(this.#outgoing.body.prepare());
    } catch (error) {
      await this.#recover(this.#callersTrouble(error));
    }
    this.#waiting.throwIfEnded();
  }

  /** An accepted answer, after as many attempts as it takes; rejects with what the request ends with. */
  async open(): Promise<Response> {
    while (this.#accepted === undefined) {
      const trouble = await this.#try();
      if (trouble !== undefined) await this.#recover(trouble);
    }
    return this.#accepted;
  }

  /** The next bytes that the reader has not had, or undefined at the end of the body, whose proof is in the ledger then. */
  async next(): Promise<Uint8Array | undefined> {
    while (true) {
      await this.open();
      const step = await this.#read(this.#reader!);
      if (step.kind === 'deliver') return step.chunk;
      if (step.kind === 'trouble') await this.#recover(step);
      if (step.kind === 'end') {
        this.#life.ledger.integrity = step.integrity;
        return undefined;
      }
    }
  }

  /** The answer goes to the caller as it is. */
  letGo(): void {
    this.#hop?.letGo();
  }

  close(): void {
    // What is on its way has left, or may have.
    this.#hop?.recordSent();
    this.#hop?.close();
  }

  // Attempts.

  async #try(): Promise<Trouble | undefined> {
    const hop = new FetchHop(this.#life, this.#plan, this.#watch, this.#waiting);
    this.#hop = hop;
    let request: ReturnType<Outgoing['produce']>;
    try {
      request = this.#outgoing.produce(this.#plan, this.#reader?.representation);
    } catch (error) {
      return this.#callersTrouble(error);
    }
    let response: Response;
    try {
      response = await hop.send(...request);
    } catch (error) {
      return this.#refusedBy(error, hop);
    }
    this.#waiting.throwIfEnded();
    return this.#judge(response);
  }

  #refusedBy(error: unknown, hop: FetchHop): Trouble {
    this.#waiting.throwIfEnded();
    const { sourceError } = this.#outgoing.body;
    if (sourceError !== undefined) {
      hop.recordSent();
      return this.#callersTrouble(sourceError.error);
    }
    const failure = fetchFailure(error, 'wait', this.place.atByte);
    if (failure.mayHaveRun) hop.recordSent();
    if (this.#plan !== undefined && hidesItsReason(error)) this.#reader?.noteRefusal(this.#plan.kind);
    return { kind: 'trouble', failure, error };
  }

  #callersTrouble(error: unknown): Trouble {
    this.#waiting.throwIfEnded();
    return { kind: 'trouble', failure: unreadableBody, error };
  }

  async #recover({ failure, error, step: decided }: Trouble): Promise<void> {
    this.#hop?.close();
    this.#accepted = undefined;
    if (failure.kind === 'bad-resume') this.#reader?.noteBadResume();
    const step = decided ?? this.#decide(failure);
    this.#life.attempt.newBytes = this.newBytes;
    this.#life.emitFailure(failure, this.place);
    this.#life.accept(failure, step);
    const { decision } = step;
    if (decision.kind === 'give-up') throw this.#life.giveUp(decision.reason, failure, error, this.place);
    await this.#pause(decision.delayMs);
    this.#beginAgain(decision);
  }

  async #pause(delayMs: number): Promise<void> {
    const { clock } = this.#life.shared.runtime;
    let timer: Timer | undefined;
    this.isPausing = true;
    try {
      await this.#waiting.for(new Promise<void>((resolve) => (timer = clock.after(delayMs, resolve))));
      this.#waiting.throwIfEnded();
    } finally {
      this.isPausing = false;
      timer?.cancel();
    }
  }

  #beginAgain(decision: Exclude<Decision, { readonly kind: 'give-up' }>): void {
    const isResume = decision.kind === 'resume';
    this.#plan = isResume ? decision.plan : undefined;
    this.#reader?.detach();
    this.#attemptStartByte = this.place.atByte;
    this.#life.beginAttempt(isResume ? decision.fromByte : undefined);
  }

  // Answers.

  #judge(response: Response): Trouble | undefined {
    const { status } = response;
    const fields = pickFields(response);
    this.#life.emit({ type: 'response', status });
    const { rules, shared } = this.#life;
    const { trustRefusals } = shared.policy.retry;
    const { transientStatuses } = rules;
    const wallMs = shared.runtime.clock.wallMs();
    const statusFailure = judgeStatus(status, fields, { transientStatuses, trustRefusals }, wallMs);
    const trouble =
      this.#plan === undefined
        ? this.#judgeWhole(status, fields, statusFailure)
        : this.#judgeResume(this.#plan, status, fields, statusFailure);
    if (trouble === undefined) this.#accepted = response;
    return trouble;
  }

  #judgeWhole(status: number, fields: PickedFields, statusFailure: Failure | undefined): Trouble | undefined {
    if (statusFailure !== undefined) {
      const step = this.#decide(statusFailure);
      const isLast = step.decision.kind === 'give-up' && this.#reader === undefined;
      if (!isLast || this.#life.rules.throwOnStatus)
        return { kind: 'trouble', failure: statusFailure, error: undefined, step };
      this.#life.accept(statusFailure, step);
      if (statusFailure.transient) this.#life.emitFailure(statusFailure, this.place);
      this.outcome = 'status';
    }
    const before = this.#reader;
    const reader = new Reader(this.#outgoing.method, status, fields, this.#life.rules.mayOverlapBlindly);
    if (before !== undefined && !isAlike(before, reader))
      return troubleOf(changedFailure(true, `the answer was HTTP ${before.status} and is now HTTP ${status}`));
    this.#reader = reader;
    this.#attemptStartByte = reader.atByte;
    return undefined;
  }

  #judgeResume(
    plan: ResumePlan,
    status: number,
    fields: PickedFields,
    statusFailure: Failure | undefined,
  ): Trouble | undefined {
    const reader = this.#reader!;
    const refusal = judgeResume(reader, plan, status, fields, statusFailure);
    if (refusal !== undefined) return troubleOf(refusal);
    if (!reader.isJoining) this.#emitHealed(reader);
    return undefined;
  }

  // Bytes.

  async #read(reader: Reader): Promise<BodyStep> {
    if (reader.hasEnough) return endOf(reader);
    let received: Uint8Array | undefined;
    try {
      received = await this.#hop!.read();
    } catch (error) {
      this.#waiting.throwIfEnded();
      // Also behind the last announced byte: what breaks there was not at its end, whatever its length said.
      return { kind: 'trouble', failure: fetchFailure(error, 'body', reader.atByte), error };
    }
    this.#waiting.throwIfEnded();
    return received === undefined ? endOf(reader) : this.#take(reader, received);
  }

  #take(reader: Reader, received: Uint8Array): BodyStep {
    const wasJoining = reader.isJoining;
    const taken = reader.take(received);
    if (taken.kind === 'mismatch')
      return troubleOf(changedFailure(false, 'bytes that were read before are different now'));
    if (wasJoining && !reader.isJoining) this.#emitHealed(reader);
    if (taken.kind === 'deliver') this.#life.ledger.deliveredBytes += taken.chunk.byteLength;
    return taken;
  }

  #emitHealed(reader: Reader): void {
    const how = this.#plan?.kind === 'overlap' ? 'overlap' : reader.rangesFail ? 'reread' : 'range';
    this.#life.emit({ type: 'healed', atByte: reader.atByte, how });
  }

  // Facts for decisions and clocks.

  #decide(failure: Failure): Step {
    const { newBytes } = this;
    const missingBytes = this.#reader?.missingBytes;
    return this.#life.decide(failure, {
      newBytes,
      missingBytes: missingBytes === undefined ? undefined : missingBytes + newBytes,
      isReplayable: this.#outgoing.body.isReplayable(),
      delivery: this.#delivery(),
    });
  }

  #delivery(): Delivery {
    const reader = this.#reader;
    if (reader === undefined) return { kind: 'nothing' };
    if (!reader.hasBytes && reader.status < 300 && !reader.isLive) return { kind: 'headers' };
    return { kind: 'bytes', fromByte: reader.atByte, plan: reader.plan() };
  }

  limits(phase: WaitPhase): WatchLimits | undefined {
    return limitsFor(phase, this.#life, this.#outgoing.body, this.#reader);
  }

  get uploadedBytes(): number {
    return this.#outgoing.body.uploadedBytes;
  }

  get isStarved(): boolean {
    return this.#outgoing.body.isStarved;
  }

  onAlarm(alarm: Error): void {
    this.#waiting.cut(alarm);
  }
}
