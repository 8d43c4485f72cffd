/**
 * Streams of language models that break: bodies in the formats of the well-known APIs, with every kind of trouble at an exact
 * token. Plain scenarios; played on a port of their own, they answer whatever path is asked for.
 */
import type { CatalogueEntry } from './catalogue-entry.ts';
import type { Fault, RequestRule, Scenario } from './scenario.ts';
import type { Selector } from './scenario-words.ts';

export type StreamFormat = 'openai-chat' | 'openai-responses' | 'anthropic';

/** `atToken`: behind so many whole tokens. */
export type StreamTrouble =
  | { readonly kind: 'cut'; readonly atToken: number; readonly by: 'fin' | 'rst' }
  /** With `forMs` the connection ends after that time. */
  | { readonly kind: 'stall'; readonly atToken: number; readonly forMs?: number }
  | { readonly kind: 'slow-first-token'; readonly delayMs: number }
  /** With `forMs` the connection ends after that time. */
  | { readonly kind: 'silence'; readonly forMs?: number }
  | { readonly kind: 'first-event-error'; readonly code: string }
  | { readonly kind: 'error-after'; readonly atToken: number; readonly code: string }
  /** The token's event is half of its JSON: the token is lost. */
  | { readonly kind: 'malformed'; readonly atToken: number }
  /** One event more, which is half of a JSON; nothing is lost. */
  | { readonly kind: 'damaged-event'; readonly atToken: number }
  /** The stream ends as if it were whole, after so many tokens. */
  | { readonly kind: 'no-end'; readonly atToken: number }
  /** The answer is whole, but for the protocol's last word. */
  | { readonly kind: 'no-last-word' }
  | { readonly kind: 'status'; readonly status: number; readonly code?: string; readonly retryAfter?: string };

export interface StreamPlan {
  readonly name: string;
  /** @default 'openai-chat' */
  readonly format?: StreamFormat;
  /** @default 12 */
  readonly tokens?: number;
  /** Names the model in the answer. @default 'lab-model' */
  readonly model?: string;
  /** Every token takes so long. @default at once */
  readonly tokenMs?: number;
  readonly trouble?: StreamTrouble;
  /** The requests that meet the trouble. @default all */
  readonly on?: Selector;
}

/** The n-th token of every stream, 0-based. */
export function tokenAt(index: number): string {
  return `t${index} `;
}

/** What a client must have read of a whole stream. */
export function textOf(tokens: number): string {
  return Array.from({ length: tokens }, (_, index) => tokenAt(index)).join('');
}

/** A scenario whose resource is a stream. */
export function modelStream(plan: StreamPlan): Scenario {
  const { name, format = 'openai-chat', tokens = 12, model = 'lab-model', tokenMs, trouble, on = 'every' } = plan;
  const frames = framesOf(format, tokens, model);
  const resource = {
    bodyText: frames.all.join(''),
    contentType: 'text/event-stream',
    framing: 'chunked',
    validator: 'none',
    ranges: 'refused',
  } as const;
  // A POST of the lab's is answered with a receipt, unless a rule says what else.
  const well = [whole(resource.bodyText), ...(tokenMs === undefined ? [] : [paceOf(frames, tokenMs)])];
  const requests: RequestRule[] = trouble === undefined ? [] : [{ on, do: faultsOf(trouble, frames, format, well) }];
  return { name, resource, requests: [...requests, { on: 'every', do: well }] };
}

interface Frames {
  readonly head: readonly string[];
  readonly tokens: readonly string[];
  /** What ends the answer, and the protocol's last word. */
  readonly finish: readonly string[];
  readonly lastWord: string;
  readonly all: readonly string[];
}

function framesOf(format: StreamFormat, tokens: number, model: string): Frames {
  const parts = makers[format](model);
  const made = Array.from({ length: tokens }, (_, index) => parts.token(tokenAt(index)));
  const { head, finish, lastWord } = parts;
  return { head, tokens: made, finish, lastWord, all: [...head, ...made, ...finish, lastWord] };
}

interface Maker {
  readonly head: readonly string[];
  token(text: string): string;
  readonly finish: readonly string[];
  readonly lastWord: string;
}

const event = (name: string, data: object) => `event: ${name}\ndata: ${JSON.stringify({ type: name, ...data })}\n\n`;

const makers: Readonly<Record<StreamFormat, (model: string) => Maker>> = {
  'openai-chat': (model) => {
    const chunk = (delta: object, finish: string | null, more: object = {}) =>
      `data: ${JSON.stringify({ id: 'chatcmpl-lab', object: 'chat.completion.chunk', created: 1, model, choices: [{ index: 0, delta, finish_reason: finish }], ...more })}\n\n`;
    return {
      head: [chunk({ role: 'assistant', content: '' }, null)],
      token: (text) => chunk({ content: text }, null),
      finish: [chunk({}, 'stop', { usage: { prompt_tokens: 1, completion_tokens: 12, total_tokens: 13 } })],
      lastWord: 'data: [DONE]\n\n',
    };
  },
  'openai-responses': (model) => {
    const response = (status: string) => ({
      response: { id: 'resp_lab', object: 'response', model, status, output: [] },
    });
    return {
      head: [event('response.created', response('in_progress'))],
      token: (delta) => event('response.output_text.delta', { item_id: 'm', output_index: 0, content_index: 0, delta }),
      finish: [],
      lastWord: event('response.completed', response('completed')),
    };
  },
  anthropic: (model) => ({
    head: [
      event('message_start', {
        message: {
          id: 'msg_lab',
          type: 'message',
          role: 'assistant',
          content: [],
          model,
          stop_reason: null,
          usage: { input_tokens: 1, output_tokens: 1 },
        },
      }),
      event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
      event('ping', {}),
    ],
    token: (text) => event('content_block_delta', { index: 0, delta: { type: 'text_delta', text } }),
    finish: [
      event('content_block_stop', { index: 0 }),
      event('message_delta', { delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 12 } }),
    ],
    lastWord: event('message_stop', {}),
  }),
};

/** So many bytes lie before the n-th token. */
function bytesBefore({ head, tokens }: Frames, token: number): number {
  return Buffer.byteLength([...head, ...tokens.slice(0, token)].join(''));
}

/** Tokens are of nearly the same length: a chunk is a token, but for a few bytes. */
function paceOf(frames: Frames, tokenMs: number): Fault {
  return {
    kind: 'trickle',
    chunkBytes: Buffer.byteLength(frames.tokens[0] ?? ' '),
    everyMs: tokenMs,
    fromByte: bytesBefore(frames, 0),
    toByte: bytesBefore(frames, frames.tokens.length),
  };
}

function faultsOf(
  trouble: StreamTrouble,
  frames: Frames,
  format: StreamFormat,
  well: readonly Fault[],
): readonly Fault[] {
  switch (trouble.kind) {
    case 'cut':
      return [...well, { kind: 'cut', by: trouble.by, at: 'body', atByte: bytesBefore(frames, trouble.atToken) }];
    case 'stall':
      return [...well, ...silenceAt({ at: 'body', atByte: bytesBefore(frames, trouble.atToken) }, trouble)];
    case 'slow-first-token':
      return [...well, { kind: 'stall', at: 'body', atByte: bytesBefore(frames, 0), forMs: trouble.delayMs }];
    case 'silence':
      return silenceAt({ at: 'request' }, trouble);
    case 'first-event-error':
      return [whole(errorOf(format, trouble.code))];
    case 'error-after':
      return [
        whole([...frames.head, ...frames.tokens.slice(0, trouble.atToken), errorOf(format, trouble.code)].join('')),
      ];
    case 'malformed':
      return [whole(withDamage(frames, trouble.atToken))];
    case 'damaged-event':
      return [whole(withMore(frames, trouble.atToken))];
    case 'no-end':
      return [whole([...frames.head, ...frames.tokens.slice(0, trouble.atToken)].join(''))];
    case 'no-last-word':
      return [whole(frames.all.slice(0, -1).join(''))];
    case 'status':
      return [statusOf(trouble)];
  }
}

function silenceAt(place: { at: 'request' | 'body'; atByte?: number }, { forMs }: { forMs?: number }): Fault[] {
  if (forMs === undefined) return [{ kind: 'stall', ...place }];
  return [
    { kind: 'stall', ...place, forMs },
    { kind: 'cut', by: 'fin', ...place },
  ];
}

function whole(bodyText: string): Fault {
  return { kind: 'status', status: 200, contentType: 'text/event-stream', bodyText };
}

function withDamage(frames: Frames, atToken: number): string {
  const { head, tokens, finish, lastWord } = frames;
  const damaged = `${tokens[atToken]!.trimEnd().slice(0, -9)}\n\n`;
  return [...head, ...tokens.slice(0, atToken), damaged, ...tokens.slice(atToken + 1), ...finish, lastWord].join('');
}

function withMore({ head, tokens, finish, lastWord }: Frames, atToken: number): string {
  const half = `${tokens[atToken]!.trimEnd().slice(0, -30)}\n\n`;
  return [...head, ...tokens.slice(0, atToken), half, ...tokens.slice(atToken), ...finish, lastWord].join('');
}

function errorOf(format: StreamFormat, code: string): string {
  const message = `the lab says ${code}`;
  if (format === 'anthropic') return event('error', { error: { type: code, message } });
  if (format === 'openai-responses') return event('error', { code, message, param: null });
  return `data: ${JSON.stringify({ error: { message, type: code, param: null, code } })}\n\n`;
}

function statusOf({ status, code = 'lab_error', retryAfter }: StreamTrouble & { readonly kind: 'status' }): Fault {
  const bodyText = JSON.stringify({ error: { message: `the lab says ${code}`, type: code, param: null, code } });
  return {
    kind: 'status',
    status,
    contentType: 'application/json',
    bodyText,
    ...(retryAfter === undefined ? {} : { retryAfter }),
  };
}

const family = 'model streams';

/** The troubles of streams by name, for `reknit lab` and for people. */
export const streamCatalogue: readonly CatalogueEntry[] = (
  [
    ['sse-clean', undefined, 'Nothing is wrong.', 'heals', 'The stream says its last word.'],
    [
      'sse-cut',
      { kind: 'cut', atToken: 6, by: 'rst' },
      'The connection is reset after six tokens.',
      'fails',
      'What was said cannot be said again in other words.',
    ],
    [
      'sse-clean-cut',
      { kind: 'no-end', atToken: 6 },
      'The stream ends in order after six tokens, without its last word.',
      'fails',
      'Only the missing last word tells.',
    ],
    ['sse-stall', { kind: 'stall', atToken: 6 }, 'Silence after six tokens.', 'fails', 'A limit on silence ends it.'],
    [
      'sse-first-event-error',
      { kind: 'first-event-error', code: 'overloaded_error' },
      'HTTP 200, and the first event is an error.',
      'fails',
      'It should have been a status.',
    ],
    [
      'sse-error-after',
      { kind: 'error-after', atToken: 6, code: 'overloaded_error' },
      'An error follows six tokens.',
      'fails',
      'The stream tells of its own end.',
    ],
    [
      'sse-malformed',
      { kind: 'malformed', atToken: 6 },
      'The seventh event is half of its JSON.',
      'either',
      'Whoever passes over it must not know a token of it.',
    ],
    [
      'sse-no-last-word',
      { kind: 'no-last-word' },
      'The answer is whole, but [DONE] is missing.',
      'heals',
      'finish_reason has said that it is whole.',
    ],
    [
      'sse-slow-first-token',
      { kind: 'slow-first-token', delayMs: 5_000 },
      'The first token takes five seconds.',
      'heals',
      'It comes in the end.',
    ],
    [
      'sse-silence',
      { kind: 'silence' },
      'The request is taken, and nothing comes.',
      'fails',
      'A limit on the wait ends it.',
    ],
  ] as const
).map(([name, trouble, description, expect, why]) => ({
  family,
  scenario: modelStream({ name, ...(trouble === undefined ? {} : { trouble }) }),
  description,
  expect,
  why,
}));
