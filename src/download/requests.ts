/** How a download asks: its headers, its deadline, its place among the connections to a host. */
import { createHash } from 'node:crypto';
import { endProbeRange, isSecretHeader } from '../core/index.ts';
import type { Client, ClientResponse, ReknitEvent } from '../http/index.ts';
import { systemRuntime } from '../runtime/index.ts';
import { type Ask, askHeaders } from './answer.ts';
import type { ConnectionLease } from './limits.ts';
import type { TransferJob } from './transfer-job.ts';

export class Requests {
  readonly #job: TransferJob;
  readonly #deadlineAtMs: number | undefined;
  readonly #homeOrigin: string;
  readonly #sums = new Map<string, string>();
  #skipsCaches = false;

  constructor(job: TransferJob) {
    this.#job = job;
    this.#homeOrigin = new URL(job.url).origin;
    this.#deadlineAtMs = job.deadlineMs === undefined ? undefined : systemRuntime.clock.nowMs() + job.deadlineMs;
  }

  /** From now on. */
  skipCaches(): void {
    this.#skipsCaches = true;
  }

  sha256Of(url: string): string {
    const known = this.#sums.get(url) ?? createHash('sha256').update(url).digest('hex');
    this.#sums.set(url, known);
    return known;
  }

  /** A lease that may be given back more than once. */
  async acquire(
    url: string,
    how: { readonly signal: AbortSignal; readonly isExtra: boolean },
  ): Promise<ConnectionLease> {
    const lease = await this.#job.limits.acquire(new URL(url).host, how);
    let isHeld = true;
    return {
      report: (outcome) => lease.report(outcome),
      release: () => {
        if (isHeld) lease.release();
        isHeld = false;
      },
    };
  }

  send(
    client: Client,
    url: string,
    ask: Ask,
    signal: AbortSignal,
    onEvent: (event: ReknitEvent) => void,
  ): Promise<ClientResponse> {
    const { checksum } = this.#job;
    return client.request(url, {
      headers: { ...this.#usualHeaders(url), ...askHeaders(ask) },
      signal,
      throwOnStatus: true,
      resumeWithoutValidator: 'overlap',
      requireProof: checksum === undefined,
      deadlineMs: this.#remainingMs,
      onEvent,
    });
  }

  /** What follows the last byte at hand. */
  probe(client: Client, url: string, bytes: number, signal: AbortSignal): Promise<ClientResponse> {
    return client.request(url, {
      headers: { ...this.#usualHeaders(url), range: endProbeRange(bytes) },
      signal,
      deadlineMs: this.#remainingMs,
      onEvent: this.#job.onEvent,
    });
  }

  #usualHeaders(url: string): Record<string, string | string[]> {
    return {
      'user-agent': 'reknit',
      accept: '*/*',
      ...this.#headersFor(url),
      'accept-encoding': 'identity',
      ...(this.#skipsCaches ? { 'cache-control': 'no-cache', pragma: 'no-cache' } : {}),
    } as Record<string, string | string[]>;
  }

  /** What may be a secret goes to the origin that it was given for, and to no mirror. */
  #headersFor(url: string): TransferJob['headers'] {
    const { headers } = this.#job;
    if (new URL(url).origin === this.#homeOrigin) return headers;
    return Object.fromEntries(Object.entries(headers).filter(([name]) => !isSecretHeader(name)));
  }

  get #remainingMs(): number | undefined {
    if (this.#deadlineAtMs === undefined) return undefined;
    return Math.max(1, Math.round(this.#deadlineAtMs - systemRuntime.clock.nowMs()));
  }
}
