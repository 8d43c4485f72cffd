/** One line of JSON for each request that has ended, and one for each attempt that follows a failed one. */
import { openSync } from 'node:fs';
import pino from 'pino';
import { ConfigError, describeFailure, describeReason, redactUrl } from '../core/index.ts';
import type { PoolEvent } from '../pool/index.ts';
import type { Clock } from '../runtime/index.ts';
import type { ResolvedConfig } from './config.ts';
import { LineBatch } from './line-batch.ts';
import type { Passage } from './passage.ts';

export class AccessLog {
  readonly #log: pino.Logger;
  readonly #batch: LineBatch;
  readonly #ownsStream: boolean;
  #isClosed = false;
  readonly #clock: Clock;
  readonly #quotedNames = new Map<string, string>();
  #stampedMs = 0;
  #stamp = '';
  readonly #level: ResolvedConfig['log']['level'];

  constructor({ to, level }: ResolvedConfig['log'], clock: Clock) {
    this.#ownsStream = to !== 'stdout' && to !== 'stderr';
    const place = to === 'stdout' ? 1 : to === 'stderr' ? 2 : openLog(to);
    this.#clock = clock;
    this.#batch = new LineBatch(place, clock);
    this.#log = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime, level: 'info' }, this.#batch);
    this.#level = level;
  }

  onEvent(pool: string, passage: Passage, event: PoolEvent): void {
    if (this.#isClosed || this.#level === 'none') return;
    const { operation, attempt, round } = event;
    switch (event.type) {
      case 'retry': {
        const { delayMs, because, failure, upstream } = event;
        const next = upstream === undefined ? {} : { next: upstream };
        const about = { operation, pool, attempt, round, upstream: passage.upstream, ...next };
        this.#log.warn(
          {
            ...about,
            delayMs: Math.round(delayMs),
            failure: describeFailure(failure),
            because: describeReason(because),
          },
          'retry',
        );
        return;
      }
      case 'ejected':
        this.#log.warn({ pool, upstream: event.upstream, forMs: Math.round(event.forMs) }, 'ejected');
        return;
      case 'returned':
        this.#log.info({ pool, upstream: event.upstream }, 'returned');
        return;
      default:
    }
  }

  onEnd(passage: Passage, nowMs: number): void {
    const { outcome, request, target, course, pool, answer, startedAtMs, upstream, failure, refusal } = passage;
    const isWell = outcome === 'complete' || outcome === 'status';
    if (this.#isClosed || this.#level === 'none' || (this.#level === 'failures' && isWell)) return;
    const operation = `${request.method} ${redactUrl(target?.path ?? '')}`;
    if (isWell) {
      this.#batch.write(this.#lineOf(passage, operation, nowMs));
      return;
    }
    const why = failure === undefined ? refusal?.message : describeFailure(failure);
    const line = {
      operation,
      outcome,
      status: answer.status,
      pool: pool?.settings.name,
      upstream,
      attempts: course?.ledger.attemptCount ?? 0,
      rounds: course?.roundNumber ?? 0,
      bytes: answer.bytes,
      firstByteMs: answer.startedAtMs === undefined ? undefined : tenths(answer.startedAtMs - startedAtMs),
      durationMs: tenths(nowMs - startedAtMs),
      code: refusal?.code,
      failure: why,
    };
    if (outcome === 'client-left') this.#log.info(line, 'request');
    else this.#log.warn(line, 'request');
  }

  /**
   * As the logger would write it at `info`: most lines are these, and to write one field by field, or as an object by the
   * platform's own JSON, costs more than all else that the log does.
   */
  #lineOf({ outcome, course, pool, answer, startedAtMs, upstream }: Passage, operation: string, nowMs: number): string {
    const place = pool === undefined ? '' : `,"pool":${this.#quoted(pool.settings.name)}`;
    const whom = upstream === undefined ? '' : `,"upstream":${this.#quoted(upstream)}`;
    const first =
      answer.startedAtMs === undefined ? '' : `,"firstByteMs":${shownTenths(answer.startedAtMs - startedAtMs)}`;
    const counts = `,"attempts":${course?.ledger.attemptCount ?? 0},"rounds":${course?.roundNumber ?? 0},"bytes":${answer.bytes}`;
    const about = `"operation":${JSON.stringify(operation)},"outcome":"${outcome}","status":${answer.status}${place}${whom}`;
    const times = `${first},"durationMs":${shownTenths(nowMs - startedAtMs)}`;
    return `{"level":30,"time":"${this.#timeOfDay()}",${about}${counts}${times},"msg":"request"}\n`;
  }

  #timeOfDay(): string {
    const wallMs = this.#clock.wallMs();
    if (wallMs !== this.#stampedMs) {
      this.#stampedMs = wallMs;
      this.#stamp = new Date(wallMs).toISOString();
    }
    return this.#stamp;
  }

  /** Names of pools and upstreams: as many as the configurations had. */
  #quoted(name: string): string {
    let quoted = this.#quotedNames.get(name);
    if (quoted === undefined) {
      quoted = JSON.stringify(name);
      this.#quotedNames.set(name, quoted);
    }
    return quoted;
  }

  say(about: object, what: string): void {
    if (this.#level !== 'none') this.#log.info(about, what);
  }

  close(): void {
    this.#isClosed = true;
    try {
      this.#batch.close(this.#ownsStream ? 'end' : 'keep-open');
    } catch {
      // The place of the log has gone; nobody is left to tell.
    }
  }
}

/** @throws ConfigError: a log that cannot be written is told before anything is served */
function openLog(path: string): number {
  try {
    return openSync(path, 'a');
  } catch (error) {
    throw new ConfigError(`Cannot write the log to ${path}: ${(error as Error).message}`);
  }
}

function tenths(ms: number): number {
  return Math.round(ms * 10) / 10;
}

/** A whole number is printed without a fraction, from a cache of the platform's; a fraction is made anew each time. */
function shownTenths(ms: number): string {
  const all = Math.round(ms * 10);
  const whole = Math.floor(all / 10);
  return all === whole * 10 ? `${whole}` : `${whole}.${all - whole * 10}`;
}
