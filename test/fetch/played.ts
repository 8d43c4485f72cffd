/** A scenario of the lab, and a wrapped `fetch` that meets it. */
import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import type { FetchInit, ReknitEvent, WrapOptions } from '../../src/fetch/index.ts';
import { ledgerOf, wrapFetch } from '../../src/fetch/index.ts';
import { type Lab, type Run, type Scenario, startLab } from '../../src/lab/index.ts';

export interface Played extends AsyncDisposable {
  readonly lab: Lab;
  readonly run: Run;
  readonly events: ReknitEvent[];
  heal(init?: FetchInit, url?: string | URL | Request): Promise<Response>;
}

export async function play(scenario: Omit<Scenario, 'name'>, options: WrapOptions = {}): Promise<Played> {
  const lab = await startLab();
  const run = lab.play({ name: 'fetch', ...scenario });
  const events: ReknitEvent[] = [];
  const heal = wrapFetch(globalThis.fetch, {
    ...options,
    retry: { baseDelayMs: 1, throttleDelayMs: 1, ...options.retry },
    onEvent: (event) => events.push(event),
  });
  return {
    lab,
    run,
    events,
    heal: (init = {}, url = run.url) => heal(url, init),
    [Symbol.asyncDispose]: () => lab.close(),
  };
}

export async function sha256Of(response: Response): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of response.body!) hash.update(chunk as Uint8Array);
  return hash.digest('hex');
}

/** Reads the body, and compares its bytes and the ledger with what the lab has sent and seen. */
export async function expectHealed({ run }: Played, response: Response, hops: number): Promise<void> {
  expect(await sha256Of(response)).toBe(run.sha256);
  expectCounted(run, response, hops);
}

export function expectCounted(run: Run, answerOrError: object, hops: number): void {
  expect(ledgerOf(answerOrError)?.hopCount).toBe(hops);
  expect(run.requestCount).toBe(hops);
}

/** What a promise rejects with. */
export async function errorOf(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error('it did not reject');
}
