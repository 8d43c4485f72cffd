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
  #stampedMs = 0;
  #stamp = '';
  readonly #level: ResolvedConfig['log']['level'];

  constructor({ to, level }: ResolvedConfig['log'], clock: Clock) {
    this.#ownsStream = to !== 'stdout' && to !== 'stderr';
    const place = to === 'stdout' ? 1 : to === 'stderr' ? 2 : openLog(to);
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
    const why = failure === undefined ? refusal?.message : describeFailure(failure);
    const line = {
      operation: `${request.method} ${redactUrl(target?.path ?? '')}`,
      outcome,
      status: answer.status,
      pool: pool?.settings.name,
      upstream,
      attempts: course?.ledger.attemptCount ?? 0,
      rounds: course?.roundNumber ?? 0,
      bytes: answer.bytes,
      firstByteMs: answer.startedAtMs === undefined ? undefined : tenths(answer.startedAtMs - startedAtMs),
      durationMs: tenths(nowMs - startedAtMs),
      code: isWell ? undefined : refusal?.code,
      failure: isWell ? undefined : why,
    };
    if (isWell) this.#batch.write(this.#lineOf(line));
    else if (outcome === 'client-left') this.#log.info(line, 'request');
    else this.#log.warn(line, 'request');
  }

  /**
   * As the logger would write it at `info`: most lines are these, and to write one field by field costs more than all else
   * that the log does.
   */
  #lineOf(line: object): string {
    const wallMs = Date.now();
    if (wallMs !== this.#stampedMs) {
      this.#stampedMs = wallMs;
      this.#stamp = new Date(wallMs).toISOString();
    }
    return `{"level":30,"time":"${this.#stamp}",${JSON.stringify(line).slice(1, -1)},"msg":"request"}\n`;
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
