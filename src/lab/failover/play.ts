/** Plays one fault: a primary that has it, a fallback that is well, and a caller who sees only the system between. */
import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { modelStream, textOf } from '../model-streams.ts';
import type { Run } from '../run.ts';
import type { Lab } from '../start-lab.ts';
import {
  answerTokens,
  type FailoverCall,
  type FailoverFault,
  type FailoverTiming,
  type FailoverView,
  fallbackModel,
  primaryModel,
} from './faults.ts';
import { type FailoverScore, judgeFailover } from './judge.ts';

/** What a system under test is given: where it finds the providers, each under a model's name. */
export interface FailoverUpstreams {
  /** Each answers `POST /v1/chat/completions`; a query belongs to the address. */
  readonly primary: Run;
  readonly fallback: Run;
}

export interface FailoverSystem {
  /** Where the caller sends `POST /v1/chat/completions` with the primary's model, or with the fallback's to be sure. */
  readonly url: string;
  /** @default true */
  readonly hasFallback?: boolean;
  close(): Promise<void>;
}

/** @returns how the system did; it is started for this fault alone */
export async function playFailover(
  lab: Lab,
  fault: FailoverFault,
  timing: FailoverTiming,
  startSystem: (upstreams: FailoverUpstreams) => Promise<FailoverSystem>,
): Promise<FailoverScore> {
  const well = { name: `${fault.id.toLowerCase()}-fallback`, model: fallbackModel, tokens: answerTokens };
  const fallback = lab.play(modelStream({ ...well, tokenMs: timing.tokenMs }), { port: 'own' });
  const primary = lab.play(fault.primary(timing), { port: 'own' });
  const system = await startSystem({ primary, fallback });
  try {
    const startedAtMs = performance.now();
    const calls = await callAll(system.url, fault, timing, startedAtMs);
    const seen = viewOf(primary, fallback);
    const { outcome, isComplete } = await call(system.url, fallbackModel, 10_000, startedAtMs);
    const isAliveAfter = outcome === 'success' && isComplete;
    return judgeFailover(fault, { ...seen, calls, isAliveAfter, hasFallback: system.hasFallback ?? true, timing });
  } finally {
    await system.close();
  }
}

async function callAll(url: string, { isSequence }: FailoverFault, timing: FailoverTiming, startedAtMs: number) {
  if (isSequence !== true) return [await call(url, primaryModel, timing.maxWaitMs, startedAtMs)];
  const calls: FailoverCall[] = [];
  for (let index = 0; index < timing.sequence.count; index += 1) {
    // One each interval: that is what the sequence is.
    const dueInMs = startedAtMs + index * timing.sequence.intervalMs - performance.now();
    if (dueInMs > 0) await pause(dueInMs);
    calls.push(await call(url, primaryModel, timing.maxWaitMs, startedAtMs));
  }
  return calls;
}

function viewOf(primary: Run, fallback: Run) {
  const { requests } = primary.record;
  return {
    primaryAtMs: requests.map(({ atMs }) => atMs),
    primaryServedAtMs: requests
      .filter(({ answered }) => answered.status === 200 && answered.complete)
      .map(({ atMs }) => atMs),
    fallbackCount: fallback.requestCount,
    fallbackGotTheRequest: fallback.record.requests.every(({ bodySha256 }) =>
      [primaryModel, fallbackModel].some((model) => bodySha256 === sha256(bodyOf(model))),
    ),
  } satisfies Partial<FailoverView>;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function bodyOf(model: string): string {
  const messages = [{ role: 'user', content: 'Say the sixty words.' }];
  return JSON.stringify({ model, stream: true, stream_options: { include_usage: true }, messages });
}

/** A caller that reads what comes, skips what it cannot read, and believes an end. */
async function call(url: string, model: string, maxWaitMs: number, startedAtMs: number): Promise<FailoverCall> {
  const sentAtMs = performance.now() - startedAtMs;
  const told = { content: '', model: undefined as string | undefined, hasUsage: false, error: undefined as unknown };
  let outcome: FailoverCall['outcome'] = 'success';
  try {
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: bodyOf(model),
      signal: AbortSignal.timeout(maxWaitMs),
    });
    if (response.status === 200) for await (const data of eventsOf(response.body!)) take(data, told);
    else told.error = `HTTP ${response.status}: ${await response.text()}`;
  } catch (error) {
    if ((error as Error).name === 'TimeoutError') outcome = 'hang';
    told.error ??= (error as Error).message;
  }
  if (told.error !== undefined && outcome !== 'hang') outcome = 'error';
  return {
    outcome,
    isComplete: told.content === textOf(answerTokens),
    sentAtMs,
    durationMs: performance.now() - startedAtMs - sentAtMs,
    reportedModel: told.model,
    hasUsage: told.hasUsage,
    error: told.error === undefined ? undefined : String(told.error).slice(0, 200),
  };
}

async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
    text += decoder.decode(chunk, { stream: true });
    const events = text.split('\n\n');
    text = events.pop()!;
    for (const event of events) if (event.startsWith('data: ')) yield event.slice(6);
  }
}

function take(data: string, told: { content: string; model: string | undefined; hasUsage: boolean; error: unknown }) {
  if (data === '[DONE]') return;
  try {
    const { error, model, usage, choices } = JSON.parse(data) as {
      readonly error?: { readonly message?: string };
      readonly model?: string;
      readonly usage?: object | null;
      readonly choices?: readonly { readonly delta?: { readonly content?: string } }[];
    };
    if (error !== undefined) told.error ??= error.message ?? 'an error without words';
    told.model = model ?? told.model;
    told.hasUsage ||= usage !== undefined && usage !== null;
    told.content += choices?.[0]?.delta?.content ?? '';
  } catch {
    // An event that is no JSON.
  }
}
