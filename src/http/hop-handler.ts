/** One request on the wire, seen from undici's side: the faces that its dispatchers call, old and new. */
import type { Socket } from 'node:net';
import { MAX_ERROR_BODY_BYTES } from '../core/index.ts';
import type { Clock, Timer } from '../runtime/index.ts';
import { type RawHeaders, toRawHeaders } from './response-fields.ts';

/** What the connection tells of itself, where it is one of ours. */
export interface ConnectionFacts {
  readonly socket: Socket | undefined;
  readonly isReused: boolean;
  readonly address: string | undefined;
  readonly isHttp2: boolean;
}

/** Who drives the hop; all calls come from the transport. */
export interface HopListener {
  onHopSent(hop: HopHandler): void;
  /** False pauses the body. */
  onHopHeaders(hop: HopHandler, status: number, headers: RawHeaders, statusText: string): boolean;
  onHopData(hop: HopHandler, chunk: Buffer): boolean;
  onHopEnd(hop: HopHandler, trailers: RawHeaders): void;
  onHopError(hop: HopHandler, error: Error): void;
}

type Abort = (reason?: Error) => void;

/** The old face of undici's handlers; the client of undici 6 and 7 calls it without any wrapping between. */
export class HopHandler {
  readonly #listener: HopListener;
  /** What our own connections tell; undefined on those of others. */
  connection: ConnectionFacts | undefined;
  /** Set by the connection that takes the request. */
  onBeforeSend: (() => ConnectionFacts) | undefined;
  /** Called once when the hop holds nothing any more. */
  onSettled: (() => void) | undefined;
  /** The request was handed to a connection: from here on bytes of it may have left. */
  isSent = false;
  /** A byte of an answer has come. */
  isAnswered = false;
  /** Bytes of the request body that were handed to the connection. */
  uploadedBytes = 0;
  /** The whole request was handed to the connection; only our own connections tell. */
  isUploaded = false;
  /** Nothing that still comes is of interest. */
  isDead = false;
  #abort: Abort | undefined;
  #resume: (() => void) | undefined;
  #isSettled = false;
  /** How many bytes may still be read from a dead hop, so that its connection can be kept. */
  #drainBytes = 0;
  #drainTimer: Timer | undefined;
  /** Called once with the beginning of a body that is drained: what a person would want to read of an error page. */
  onFirstBytes: ((bytes: Buffer) => void) | undefined;
  #firstBytes: Buffer = noBytes;

  constructor(listener: HopListener) {
    this.#listener = listener;
  }

  onConnect(abort: Abort): void {
    this.#abort = abort;
    if (this.isDead) {
      abort(deadHop());
      return;
    }
    this.isSent = true;
    this.connection = this.onBeforeSend?.();
    this.#listener.onHopSent(this);
  }

  onBodySent(chunk: Uint8Array): void {
    this.uploadedBytes += chunk.length;
  }

  onRequestSent(): void {
    this.isUploaded = true;
  }

  onResponseStarted(): void {
    this.isAnswered = true;
  }

  onHeaders(status: number, headers: RawHeaders, resume: () => void, statusText: string): boolean {
    if (this.isDead) return true;
    this.isAnswered = true;
    this.#resume = resume;
    return this.#listener.onHopHeaders(this, status, headers, statusText);
  }

  onData(chunk: Buffer): boolean {
    if (!this.isDead) return this.#listener.onHopData(this, chunk);
    this.#drainBytes -= chunk.length;
    if (this.onFirstBytes !== undefined) this.#keepFirst(chunk);
    if (this.#drainBytes < 0) this.#abort?.(deadHop());
    return true;
  }

  onComplete(trailers: RawHeaders): void {
    this.#settle();
    if (!this.isDead) this.#listener.onHopEnd(this, trailers ?? []);
  }

  onError(error: Error): void {
    this.#settle();
    if (!this.isDead) {
      this.isDead = true;
      this.#listener.onHopError(this, error);
    }
  }

  onUpgrade(_status: number, _headers: RawHeaders, socket: Socket): void {
    socket.destroy();
  }

  /** Its connection is free again, or gone. */
  get isSettled(): boolean {
    return this.#isSettled;
  }

  resume(): void {
    if (!this.isDead) this.#resume?.();
  }

  /** Gives the hop up: its connection is cut, or, where it has none yet, it is dropped as soon as it gets one. */
  kill(): void {
    if (this.isDead) return;
    this.isDead = true;
    if (!this.#isSettled) this.#abort?.(deadHop());
  }

  /** Gives the hop up, but reads a short rest of its body, so that its connection can serve again; one that does not come is cut. */
  drain(maxBytes: number, clock: Clock, maxMs: number): void {
    this.isDead = true;
    if (this.#isSettled) return;
    this.#drainBytes = maxBytes;
    this.#drainTimer = clock.after(maxMs, () => this.#abort?.(deadHop()), 'idle');
  }

  #keepFirst(chunk: Buffer): void {
    this.#firstBytes = Buffer.concat([this.#firstBytes, chunk.subarray(0, MAX_ERROR_BODY_BYTES)]);
    if (this.#firstBytes.length >= MAX_ERROR_BODY_BYTES) this.#tellFirst();
  }

  #tellFirst(): void {
    const tell = this.onFirstBytes;
    this.onFirstBytes = undefined;
    tell?.(this.#firstBytes.subarray(0, MAX_ERROR_BODY_BYTES));
  }

  #settle(): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#drainTimer?.cancel();
    this.#tellFirst();
    this.onSettled?.();
  }
}

/** The reason that undici is given for cutting a connection; nobody outside sees it. */
function deadHop(): Error {
  return Object.assign(new Error('this attempt was given up'), { code: 'UND_ERR_ABORTED', name: 'AbortError' });
}

const noBytes = Buffer.alloc(0);

interface NewController {
  readonly rawHeaders?: RawHeaders;
  readonly rawTrailers?: RawHeaders;
  pause(): void;
  resume(): void;
  abort(reason: Error): void;
}

type HeaderRecord = Readonly<Record<string, string | readonly string[] | undefined>>;

/** The new face, for dispatchers of undici 8 and for composed ones. */
export class NewFaceHopHandler {
  readonly #hop: HopHandler;

  constructor(hop: HopHandler) {
    this.#hop = hop;
  }

  onRequestStart(controller: NewController): void {
    this.#hop.onConnect((reason) => controller.abort(reason ?? deadHop()));
  }

  onResponseStarted(): void {
    this.#hop.onResponseStarted();
  }

  onResponseStart(controller: NewController, status: number, headers: HeaderRecord, statusText?: string): void {
    const raw = controller.rawHeaders ?? toRawHeaders(headers);
    const goesOn = this.#hop.onHeaders(status, raw, () => controller.resume(), statusText ?? '');
    if (!goesOn) controller.pause();
  }

  onResponseData(controller: NewController, chunk: Buffer): void {
    if (!this.#hop.onData(chunk)) controller.pause();
  }

  onResponseEnd(controller: NewController, trailers: HeaderRecord): void {
    this.#hop.onComplete(controller.rawTrailers ?? toRawHeaders(trailers ?? {}));
  }

  onResponseError(_controller: NewController, error: Error): void {
    this.#hop.onError(error);
  }
}
