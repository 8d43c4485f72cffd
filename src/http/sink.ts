/** The consumer of a healed exchange: undici's request, fetch, stream and pipeline, by their old or new handler face. */
import type { RawHeaders } from './response-fields.ts';
import { toHeaderRecord } from './response-fields.ts';

export interface SinkControl {
  /** The consumer can take more. */
  resume(): void;
  abort(reason: unknown): void;
}

export interface Sink {
  onStart(control: SinkControl): void;
  onInfo(status: number, headers: RawHeaders, statusText: string): void;
  /** False: no data until `resume`. */
  onHeaders(status: number, headers: RawHeaders, statusText: string): boolean;
  onData(chunk: Buffer): boolean;
  onEnd(trailers: RawHeaders): void;
  onError(error: unknown): void;
  /** Present where the consumer can throw away what it has and begin anew: a buffer, a file. */
  onRestart?(): void;
  /** It decodes the content-coding itself, strictly. */
  readonly decodesStrictly?: boolean;
}

/** A handler with the old face, as undici 6 and 7 and the `fetch` of Node 20 to 24 bring it. */
export interface OldHandler {
  onConnect?(abort: (reason?: unknown) => void, context?: unknown): void;
  onResponseStarted?(): void;
  onHeaders?(status: number, headers: RawHeaders, resume: () => void, statusText: string): boolean | undefined;
  onData?(chunk: Buffer): boolean | undefined;
  onComplete?(trailers: RawHeaders): void;
  onError?(error: unknown): void;
}

/** A handler with the new face, as undici 8 and the `fetch` of Node 26 bring it. */
export interface NewHandler {
  onRequestStart(controller: object, context?: unknown): void;
  onResponseStarted?(): void;
  onResponseStart?(controller: object, status: number, headers: object, statusText?: string): void;
  onResponseData?(controller: object, chunk: Buffer): void;
  onResponseEnd?(controller: object, trailers: object): void;
  onResponseError?(controller: object, error: unknown): void;
}

export function sinkOf(handler: OldHandler | NewHandler): Sink {
  return 'onRequestStart' in handler && typeof handler.onRequestStart === 'function'
    ? new NewSink(handler as NewHandler)
    : new OldSink(handler as OldHandler);
}

class OldSink implements Sink {
  readonly #handler: OldHandler;
  /** Let go of at the end: `fetch` keeps our callbacks until the next full collection, and must not keep the exchange. */
  #control: SinkControl | undefined;
  #resume: () => void = nobodyWaits;

  constructor(handler: OldHandler) {
    this.#handler = handler;
  }

  onStart(control: SinkControl): void {
    this.#control = control;
    // Made side by side, the two share one context.
    this.#resume = () => this.#control?.resume();
    this.#handler.onConnect?.((reason) => this.#control?.abort(reason), {});
  }

  onInfo(status: number, headers: RawHeaders, statusText: string): void {
    this.#handler.onHeaders?.(status, headers, this.#resume, statusText);
  }

  onHeaders(status: number, headers: RawHeaders, statusText: string): boolean {
    this.#handler.onResponseStarted?.();
    return this.#handler.onHeaders?.(status, headers, this.#resume, statusText) !== false;
  }

  onData(chunk: Buffer): boolean {
    return this.#handler.onData?.(chunk) !== false;
  }

  onEnd(trailers: RawHeaders): void {
    this.#control = undefined;
    this.#handler.onComplete?.(trailers);
  }

  onError(error: unknown): void {
    this.#control = undefined;
    this.#handler.onError?.(error);
  }
}

function nobodyWaits(): void {}

class NewSink implements Sink {
  readonly #handler: NewHandler;
  #controller: SinkController | undefined;

  constructor(handler: NewHandler) {
    this.#handler = handler;
  }

  onStart(control: SinkControl): void {
    this.#controller = new SinkController(control);
    this.#handler.onRequestStart(this.#controller, {});
  }

  onInfo(status: number, headers: RawHeaders, statusText: string): void {
    this.onHeaders(status, headers, statusText);
  }

  onHeaders(status: number, headers: RawHeaders, statusText: string): boolean {
    const controller = this.#controller!;
    controller.rawHeaders = headers;
    this.#handler.onResponseStarted?.();
    this.#handler.onResponseStart?.(controller, status, toHeaderRecord(headers), statusText);
    return !controller.paused;
  }

  onData(chunk: Buffer): boolean {
    this.#handler.onResponseData?.(this.#controller!, chunk);
    return this.#controller?.paused !== true;
  }

  onEnd(trailers: RawHeaders): void {
    this.#controller!.rawTrailers = trailers;
    this.#handler.onResponseEnd?.(this.#controller!, toHeaderRecord(trailers));
  }

  onError(error: unknown): void {
    this.#handler.onResponseError?.(this.#controller ?? {}, error);
  }
}

/** What new-style handlers steer their exchange with. */
class SinkController {
  readonly #control: SinkControl;
  paused = false;
  aborted = false;
  reason: unknown = null;
  rawHeaders: RawHeaders | null = null;
  rawTrailers: RawHeaders | null = null;

  constructor(control: SinkControl) {
    this.#control = control;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    this.#control.resume();
  }

  abort(reason: unknown): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    this.#control.abort(reason);
  }
}
