/**
 * What the body of a request to a model says. Its JSON is read when somebody asks for what is in it: most that is asked can
 * be told without, and a body with pictures in it would hold all others up.
 */
import type { IncomingMessage } from 'node:http';
import { isEmbedding, isModelPath, type ModelApi, recogniseApi } from './model-api.ts';
import type { ReceivedBody } from './request-body.ts';
import type { Route } from './routes.ts';

type Json = Readonly<Record<string, unknown>>;

export class ModelRequest {
  readonly #path: string;
  readonly #bytes: Buffer | undefined;
  readonly #isModelPath: boolean;
  #route: Route | undefined;
  #json: Json | undefined;
  #isRead = false;

  /** @param readsModels a route wants to know the model of every request */
  constructor({ headers }: IncomingMessage, path: string, body: ReceivedBody, readsModels: boolean) {
    this.#path = path;
    this.#isModelPath = isModelPath(path);
    const mayBeRead = body.kind === 'whole' && (readsModels || this.#isModelPath) && isJson(headers['content-type']);
    this.#bytes = mayBeRead ? body.bytes : undefined;
  }

  /** What its events mean depends on what the route declares. */
  goesBy(route: Route): void {
    this.#route = route;
  }

  /** The body, where it is an object. */
  get json(): Json | undefined {
    if (!this.#isRead) {
      this.#isRead = true;
      this.#json = this.#bytes === undefined ? undefined : objectIn(this.#bytes);
    }
    return this.#json;
  }

  get model(): string | undefined {
    const model = this.json?.model;
    return typeof model === 'string' ? model : undefined;
  }

  /** Whose events its stream would be made of. */
  get api(): ModelApi | undefined {
    const declared = this.#route?.api ?? 'auto';
    if (declared === 'bytes' || this.#bytes === undefined || this.json === undefined) return undefined;
    const found = recogniseApi(this.#path, this.json);
    if (found !== undefined || declared === 'auto') return found;
    return declared === 'anthropic' ? 'anthropic' : 'openai-chat';
  }

  get wantsStream(): boolean {
    return this.#bytes !== undefined && mayName(this.#bytes) && this.api !== undefined && this.json?.stream === true;
  }

  /** Asking twice costs money and harms nobody. */
  get isInference(): boolean {
    if (this.#bytes === undefined) return false;
    return this.api !== undefined || isEmbedding(this.#path, this.json);
  }

  /** The body for an upstream that knows the model by another name. */
  withModel(model: string): Buffer | undefined {
    return this.json === undefined ? undefined : Buffer.from(JSON.stringify({ ...this.json, model }));
  }
}

const streamKey = Buffer.from('"stream"');
const escaped = Buffer.from('\\u');

/** A name in JSON may be written with escapes; where there is none, its letters are there or it is not. */
function mayName(bytes: Buffer): boolean {
  return bytes.includes(streamKey) || bytes.includes(escaped);
}

function isJson(type: string | undefined): boolean {
  if (type === 'application/json') return true;
  return type !== undefined && /^application\/(?:[\w.+-]+\+)?json\b/i.test(type);
}

function objectIn(bytes: Buffer): Json | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Json) : undefined;
  } catch {
    return undefined;
  }
}
