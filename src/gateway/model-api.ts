/** The APIs of language models whose streams are understood: what an event means, and how an end or an error is said. */
import { parseEvent } from './event-splitter.ts';

export type ModelApi = 'openai-chat' | 'openai-completions' | 'openai-responses' | 'anthropic';

/** An error that a stream tells by itself. */
export interface ToldError {
  readonly status: number;
  readonly message: string;
  /** The data as it came, for markers of its class. */
  readonly text: string;
}

export interface EventMeaning {
  /** Output of the model: text, reasoning, refusal, audio, arguments of a tool. */
  readonly isOutput: boolean;
  /** The answer is whole, though the protocol's last word may follow. */
  readonly isWhole: boolean;
  /** The protocol's last word. */
  readonly isLast: boolean;
  readonly isDamaged: boolean;
  readonly error: ToldError | undefined;
}

const nothing: EventMeaning = { isOutput: false, isWhole: false, isLast: false, isDamaged: false, error: undefined };
const output: EventMeaning = { ...nothing, isOutput: true };
const damaged: EventMeaning = { ...nothing, isDamaged: true };
const last: EventMeaning = { ...nothing, isWhole: true, isLast: true };

// biome-ignore lint/suspicious/noExplicitAny: what others send; every step into it is checked by `?.` and by comparing
type Json = any;

/** Reads the events of one stream in order. */
export class StreamMeaning {
  readonly api: ModelApi;
  readonly #unfinished = new Set<number>();
  #hasFinished = false;

  constructor(api: ModelApi) {
    this.api = api;
  }

  read(event: Buffer): EventMeaning {
    const { name, data } = parseEvent(event);
    if (data === undefined || data === '') return nothing;
    if (data === '[DONE]') return last;
    let value: Json;
    try {
      value = JSON.parse(data);
    } catch {
      // What does not even begin like an object is no model's output: a provider's heartbeat.
      return /^\s*[{[]/.test(data) ? damaged : nothing;
    }
    if (typeof value !== 'object' || value === null) return nothing;
    switch (this.api) {
      case 'openai-chat':
      case 'openai-completions':
        return this.#readChoices(value, data);
      case 'openai-responses':
        return readResponse(value, name, data);
      case 'anthropic':
        return readMessage(value, name, data);
    }
  }

  #readChoices(value: Json, data: string): EventMeaning {
    if (value.error !== undefined && value.error !== null) return told(value.error, data);
    const choices: readonly Json[] = Array.isArray(value.choices) ? value.choices : [];
    let isOutput = false;
    for (const choice of choices) {
      const index = Number(choice?.index ?? 0);
      isOutput ||= isChoiceOutput(choice);
      if (choice?.finish_reason === 'error') return told(choice.error ?? {}, data);
      if (typeof choice?.finish_reason === 'string') {
        this.#hasFinished = true;
        this.#unfinished.delete(index);
      } else this.#unfinished.add(index);
    }
    const isWhole = this.#hasFinished && this.#unfinished.size === 0;
    return isWhole ? { ...nothing, isOutput, isWhole } : isOutput ? output : nothing;
  }
}

function isChoiceOutput(choice: Json): boolean {
  if (isText(choice?.text)) return true;
  const delta = choice?.delta;
  if (typeof delta !== 'object' || delta === null) return false;
  if (isText(delta.function_call?.arguments)) return true;
  const calls: readonly Json[] = Array.isArray(delta.tool_calls) ? delta.tool_calls : [];
  if (calls.some((call) => isText(call?.function?.arguments) || isText(call?.custom?.input))) return true;
  const openers = ['role', 'tool_calls', 'function_call'];
  return Object.entries(delta).some(([key, value]) => !openers.includes(key) && isSomething(value));
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

function isSomething(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  return isText(value) || (typeof value === 'object' && value !== null);
}

function readResponse(value: Json, name: string | undefined, data: string): EventMeaning {
  const type: string = typeof value.type === 'string' ? value.type : (name ?? '');
  if (type === 'error') return told(value.error ?? value, data);
  if (type === 'response.failed') return told(value.response?.error ?? {}, data);
  if (type === 'response.completed' || type === 'response.incomplete') return last;
  const isOutput = type.endsWith('.delta') ? isSomething(value.delta) : type.includes('partial_image');
  return isOutput ? output : nothing;
}

function readMessage(value: Json, name: string | undefined, data: string): EventMeaning {
  switch (value.type ?? name) {
    case 'error':
      return told(value.error ?? {}, data);
    case 'message_stop':
      return last;
    case 'message_delta':
      return typeof value.delta?.stop_reason === 'string' ? { ...nothing, isWhole: true } : nothing;
    case 'content_block_delta': {
      const { type: _type, ...parts } = value.delta ?? {};
      return Object.values(parts).some(isSomething) ? output : nothing;
    }
    default:
      return nothing;
  }
}

/** What providers name by a word where others use a status. */
const statusByWord: readonly (readonly [RegExp, number])[] = [
  [/overloaded/, 529],
  [/rate_limit|too_many_requests|throttl/, 429],
  [/insufficient_quota|billing/, 402],
  [/authentication|invalid_api_key/, 401],
  [/permission/, 403],
  [/not_found/, 404],
  [/request_too_large|context_length/, 413],
  [/content_policy|content_filter|invalid_request|invalid_prompt/, 400],
  [/timeout/, 504],
];

function told(error: Json, text: string): EventMeaning {
  const message =
    typeof error === 'string' ? error : isText(error?.message) ? String(error.message) : 'the stream told of an error';
  const words = `${error?.code ?? ''} ${error?.type ?? ''}`;
  const number = [error?.code, error?.status].map(Number).find((code) => code >= 400 && code <= 599);
  const status = number ?? statusByWord.find(([pattern]) => pattern.test(words))?.[1] ?? 500;
  return { ...nothing, error: { status, message, text } };
}

/** The path's last words name the API, and the body must look like one: a POST to `/messages` may be anything. */
export function recogniseApi(path: string, body: Json): ModelApi | undefined {
  if (typeof body?.model !== 'string') return undefined;
  if (path.endsWith('/chat/completions')) return Array.isArray(body.messages) ? 'openai-chat' : undefined;
  if (path.endsWith('/completions')) return body.prompt === undefined ? undefined : 'openai-completions';
  if (path.endsWith('/messages')) return Array.isArray(body.messages) ? 'anthropic' : undefined;
  if (!path.endsWith('/responses') || (body.input === undefined && body.prompt === undefined)) return undefined;
  // A job that goes on by itself is not asked for twice.
  return body.background === true ? undefined : 'openai-responses';
}

export function isModelPath(path: string): boolean {
  return /\/(?:chat\/completions|completions|messages|responses|embeddings)$/.test(path);
}

/** Inference whose answer is one JSON: asking twice costs money and harms nobody. */
export function isEmbedding(path: string, body: Json): boolean {
  return path.endsWith('/embeddings') && typeof body?.model === 'string' && body.input !== undefined;
}

export const keepAliveComment = Buffer.from(': keepalive\n\n');

/** What must still be said after the last event, so that a client sees an end. */
export function lastWord(api: ModelApi): string {
  return api === 'openai-chat' || api === 'openai-completions' ? 'data: [DONE]\n\n' : '';
}

/** An error in the words of the protocol, for a stream that has begun. No last word follows it. */
export function errorFrame(api: ModelApi, error: { readonly message: string; readonly code: string }): string {
  const { message, code } = error;
  const about = { message, type: code, param: null, code };
  switch (api) {
    case 'openai-chat':
    case 'openai-completions':
      return `data: ${JSON.stringify({ error: about })}\n\n`;
    case 'openai-responses':
      return `event: error\ndata: ${JSON.stringify({ type: 'error', code, message, param: null, error: about })}\n\n`;
    case 'anthropic':
      return `event: error\ndata: ${JSON.stringify({ type: 'error', error: { type: code, message } })}\n\n`;
  }
}
