/**
 * A transport without sockets: it calls the faces of a hop as undici's client does, and goes wrong as the schedule says.
 * Aborts answer synchronously, a resume may deliver synchronously, and a paused hop brings nothing.
 */
import type { HopHandler } from '../../src/http/hop-handler.ts';
import type { DispatchOptions, HopRoute, Transport } from '../../src/http/transport.ts';
import type { CountedClock } from './counted-clock.ts';
import type { Answer, ModelServer, WireRequest } from './model-server.ts';
import type { CutHow, Fault } from './schedule.ts';

/** What the server knows of one request on the wire. */
export interface ServedHop {
  readonly sendIndex: number;
  readonly atMs: number;
  readonly request: WireRequest;
  readonly route: HopRoute;
  readonly fault: Fault;
  /** The request body as far as it came. */
  body: Buffer;
  /** Its framing ended: the server takes it for whole. */
  isBodyWhole: boolean;
  answer: Answer | undefined;
  /** Bytes of the answer's body that were sent. */
  sentBytes: number;
  /** The connection of a body without framing ended early, and nothing told so. */
  endedUnseen: boolean;
  /** The answer said that nothing was run. */
  isRefused: boolean;
}

export interface TransportSettings {
  readonly clock: CountedClock;
  readonly server: ModelServer;
  readonly faults: readonly Fault[];
  readonly random: () => number;
  readonly chunkBytes: number;
  readonly connectMs: number;
  /** Whether the client asks for more of a body that it holds a part of. */
  readonly isContinued: (request: WireRequest) => boolean;
}

export class VirtualTransport implements Transport {
  readonly settings: TransportSettings;
  readonly served: ServedHop[] = [];
  sends = 0;
  /** Hops that were given and have not settled. */
  open = 0;
  /** Request bodies that are being read. */
  reading = 0;

  constructor(settings: TransportSettings) {
    this.settings = settings;
  }

  send(options: DispatchOptions, hop: HopHandler, route: HopRoute): void {
    this.open += 1;
    hop.onSettled = () => {
      this.open -= 1;
    };
    new VirtualHop(this, options, hop, route).begin();
  }

  pass(): void {
    throw new Error('nothing is passed through here');
  }

  slowDown(): void {}

  wentWell(): void {}

  isCrowded(): boolean {
    return false;
  }

  async close(): Promise<void> {}

  async destroy(): Promise<void> {}
}

const none: Fault = { kind: 'none' };

class VirtualHop {
  readonly #transport: VirtualTransport;
  readonly #settings: TransportSettings;
  readonly #options: DispatchOptions;
  readonly #hop: HopHandler;
  readonly #route: HopRoute;
  readonly #sendIndex: number;
  readonly #fault: Fault;
  readonly #socket: { errored: Error | undefined } = { errored: undefined };
  #served!: ServedHop;
  #isOver = false;
  #isPaused = false;
  #isPumping = false;
  #isTrickling = false;
  #at = 0;
  #trickles: boolean;

  constructor(transport: VirtualTransport, options: DispatchOptions, hop: HopHandler, route: HopRoute) {
    this.#transport = transport;
    this.#settings = transport.settings;
    this.#options = options;
    this.#hop = hop;
    this.#route = route;
    this.#sendIndex = transport.sends++;
    this.#fault = this.#settings.faults[this.#sendIndex] ?? none;
    this.#trickles = this.#fault.kind === 'trickle';
  }

  begin(): void {
    // undici fails or sends within the call when it already knows.
    if (this.#settings.random() < 0.3) this.#connect();
    else this.#later(Math.floor(this.#settings.random() * 20), () => this.#connect());
  }

  #later(delayMs: number, act: () => void): void {
    this.#settings.clock.outside(delayMs, () => {
      if (!this.#isOver) act();
    });
  }

  #connect(): void {
    const fault = this.#fault;
    if (fault.kind === 'connect-error') this.#fail(connectError(fault.code));
    else if (fault.kind === 'connect-timeout') {
      this.#later(this.#settings.connectMs, () =>
        this.#fail(coded('UND_ERR_CONNECT_TIMEOUT', 'Connect Timeout Error')),
      );
    } else this.#sendRequest();
  }

  #sendRequest(): void {
    const isReused = this.#fault.kind === 'stale' && this.#route === 'pooled';
    this.#hop.onBeforeSend = () => ({
      socket: this.#socket as never,
      isReused,
      address: '192.0.2.7',
      isHttp2: false,
    });
    this.#hop.onConnect((reason) => this.#fail(reason ?? coded('UND_ERR_ABORTED', 'aborted')));
    if (this.#isOver || this.#hop.isDead) return;
    this.#served = {
      sendIndex: this.#sendIndex,
      atMs: this.#settings.clock.nowMs(),
      request: readRequest(this.#options),
      route: this.#route,
      fault: this.#fault,
      body: Buffer.alloc(0),
      isBodyWhole: false,
      answer: undefined,
      sentBytes: 0,
      endedUnseen: false,
      isRefused: false,
    };
    this.#transport.served.push(this.#served);
    this.#sendBody();
  }

  #sendBody(): void {
    const { body } = this.#options as { readonly body?: unknown };
    if (body === null || body === undefined) this.#bodyEnded();
    else if (typeof body === 'string' || body instanceof Uint8Array) {
      this.#served.body = Buffer.from(body as string);
      this.#bodyEnded();
    } else {
      this.#transport.reading += 1;
      void this.#readBody(body as AsyncIterable<Uint8Array>).finally(() => {
        this.#transport.reading -= 1;
      });
    }
  }

  /** As undici's writer: a body that throws fails the request, an attempt that died asks for no more. */
  async #readBody(body: AsyncIterable<Uint8Array>): Promise<void> {
    // A connection that dies while the body is being sent.
    const diesAfter = this.#fault.kind === 'reset-after-send' && this.#settings.random() < 0.6 ? 1 : Infinity;
    let chunks = 0;
    try {
      for await (const chunk of body) {
        if (this.#isOver) return;
        this.#served.body = Buffer.concat([this.#served.body, chunk]);
        chunks += 1;
        if (chunks >= diesAfter) this.#later(1, () => this.#fail(reset()));
      }
    } catch (error) {
      if (!this.#isOver) this.#fail(error as Error);
      return;
    }
    if (!this.#isOver) this.#bodyEnded();
  }

  #bodyEnded(): void {
    this.#served.isBodyWhole = true;
    this.#hop.onRequestSent();
    const waitMs = Math.floor(this.#settings.random() * 30);
    switch (this.#fault.kind) {
      case 'reset-after-send':
        this.#later(waitMs, () => this.#fail(reset()));
        return;
      case 'stale':
        if (this.#route === 'pooled') this.#later(0, () => this.#fail(coded('UND_ERR_SOCKET', 'other side closed')));
        else this.#later(waitMs, () => this.#answer());
        return;
      case 'no-headers':
        return;
      default:
        this.#later(waitMs, () => this.#answer());
    }
  }

  #answer(): void {
    const { request } = this.#served;
    const answer = this.#settings.server.answer(
      request,
      this.#sendIndex,
      this.#fault,
      this.#settings.isContinued(request),
    );
    this.#served.answer = answer;
    this.#served.isRefused = isRefusal(answer);
    this.#hop.onResponseStarted();
    const goesOn = this.#hop.onHeaders(answer.status, rawHeaders(answer.headers), () => this.#resume(), '');
    if (this.#isOver) return;
    this.#isPaused = !goesOn;
    this.#pumpSoon();
  }

  #resume(): void {
    if (this.#isOver || !this.#isPaused) return;
    this.#isPaused = false;
    if (this.#settings.random() < 0.5) this.#pump();
    else this.#pumpSoon();
  }

  #pumpSoon(): void {
    this.#later(this.#settings.random() < 0.7 ? 0 : Math.floor(this.#settings.random() * 40), () => this.#pump());
  }

  #pump(): void {
    if (this.#isPumping || this.#isTrickling) return;
    this.#isPumping = true;
    const { body } = this.#served.answer!;
    const stop = this.#stopAt(body.length);
    let burst = 1 + Math.floor(this.#settings.random() * 8);
    while (!this.#isOver && !this.#isPaused && this.#at < stop && burst-- > 0) this.#bringChunk(body, stop);
    this.#isPumping = false;
    if (this.#isOver || this.#isPaused) return;
    if (this.#at < stop) this.#pumpSoon();
    else this.#end(stop, body.length);
  }

  #bringChunk(body: Buffer, stop: number): void {
    const draw = this.#settings.random();
    const size = draw < 0.05 ? 0 : Math.ceil(draw * Math.max(this.#settings.chunkBytes, body.length / 3_000));
    // A buffer of its own: whoever gets it may change it.
    const chunk = Buffer.from(body.subarray(this.#at, Math.min(stop, this.#at + size)));
    this.#at += chunk.length;
    this.#served.sentBytes = this.#at;
    if (!this.#hop.onData(chunk)) this.#isPaused = true;
  }

  #stopAt(bytes: number): number {
    const fault = this.#fault;
    const permille = fault.kind === 'lie' ? fault.cutPermille : 'permille' in fault ? fault.permille : undefined;
    if (fault.kind === 'status') return fault.body === 'stalls' || fault.body === 'cut' ? bytes >> 1 : bytes;
    if (fault.kind === 'trickle' && !this.#trickles) return bytes;
    return permille === undefined ? bytes : Math.floor((bytes * permille) / 1_000);
  }

  #end(stop: number, bytes: number): void {
    const fault = this.#fault;
    if (fault.kind === 'cut') this.#cut(fault.how, stop === bytes);
    else if (fault.kind === 'lie' && fault.cutPermille !== undefined) this.#cut('reset', stop === bytes);
    else if (fault.kind === 'status' && fault.body === 'cut') this.#cut('reset', false);
    else if (fault.kind === 'stall' || (fault.kind === 'status' && fault.body === 'stalls')) return;
    else if (this.#trickles) this.#trickle();
    else this.#complete();
  }

  /** A byte now and then; after a while it flows again, as every fault ends. */
  #trickle(): void {
    const { body } = this.#served.answer!;
    let left = 25;
    this.#isTrickling = true;
    const oneByte = () => {
      if (left-- === 0) {
        this.#isTrickling = false;
        this.#trickles = false;
        this.#pumpSoon();
        return;
      }
      if (this.#isPaused) {
        this.#later(200, oneByte);
        return;
      }
      if (this.#at >= body.length) {
        this.#complete();
        return;
      }
      this.#bringChunk(body, this.#at + 1);
      if (!this.#isOver) this.#later(200, oneByte);
    };
    oneByte();
  }

  #cut(how: CutHow, isAtEnd: boolean): void {
    const framing = this.#served.answer!.framing;
    if (framing === 'none') {
      this.#complete();
      return;
    }
    if (framing === 'close') {
      // undici takes both for the end; the socket knows of the reset.
      if (how === 'reset') this.#socket.errored = reset();
      else this.#served.endedUnseen = !isAtEnd;
      this.#complete();
      return;
    }
    if (how === 'mismatch' && framing === 'length' && !isAtEnd)
      this.#fail(coded('UND_ERR_RES_CONTENT_LENGTH_MISMATCH', 'Response body length does not match'));
    else if (how === 'reset') this.#fail(reset());
    else this.#fail(coded('UND_ERR_SOCKET', 'other side closed'));
  }

  #complete(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#hop.onComplete([]);
  }

  #fail(error: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#hop.onError(error);
  }
}

function isRefusal({ status, headers }: Answer): boolean {
  return status === 429 || (status === 503 && headers.includes('retry-after'));
}

function rawHeaders(flat: readonly string[]): Buffer[] {
  return flat.map((text) => Buffer.from(text, 'latin1'));
}

function readRequest(options: DispatchOptions): WireRequest {
  const headers = new Map<string, string>();
  const flat = (options.headers ?? []) as readonly string[];
  for (let i = 0; i + 1 < flat.length; i += 2) headers.set(flat[i]!.toLowerCase(), flat[i + 1]!);
  return { method: options.method, origin: String(options.origin), path: options.path, headers };
}

function coded(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}

function reset(): Error {
  return Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read', errno: -104 });
}

function connectError(code: string): Error {
  const syscall = code === 'ENOTFOUND' || code === 'EAI_AGAIN' ? 'getaddrinfo' : 'connect';
  const own = code === 'CERT_HAS_EXPIRED' ? {} : { syscall };
  return Object.assign(new Error(`${syscall} ${code}`), { code, ...own });
}
