/** The `Response` that the caller gets: the platform's own class, over a body that heals. */

/** Where the bytes of an answer come from. */
export interface ByteFeed {
  /** Called once, before anything is read. */
  attach(controller: FeedController): void;
  /** Fills the stream with one chunk, its end or an error; called once for each time that the reader wants more. */
  feed(controller: FeedController): Promise<void>;
  cancel(reason: unknown): void;
}

export interface FeedController {
  enqueue(chunk: Uint8Array): void;
  close(): void;
  error(error: unknown): void;
  /** Of byte streams: the reader's own buffer that waits to be filled. */
  readonly byobRequest?: { respond(bytes: number): void } | null;
}

export function createAnswer(inner: Response, feed: ByteFeed): Response {
  const { status, statusText, headers, url, redirected, type } = inner;
  // The constructor knows statuses up to 599; the wire knows 999.
  const isKnown = status >= 200 && status <= 599;
  const answer = new Response(createBody(inner, feed), { status: isKnown ? status : 200, statusText, headers });
  return dress(answer, { url, redirected, type, ...(isKnown ? {} : { status, ok: false }) });
}

type StreamSource = ConstructorParameters<typeof ReadableStream<Uint8Array>>[0];

function createBody(inner: Response, feed: ByteFeed): ReadableStream<Uint8Array> {
  const source = {
    start: (controller: FeedController) => feed.attach(controller),
    pull: (controller: FeedController) => feed.feed(controller),
    cancel: (reason: unknown) => feed.cancel(reason),
    ...(isByteStream(inner.body) ? { type: 'bytes' as const } : {}),
  };
  // Nothing is read ahead: back-pressure reaches the live connection, and a paused reader is known to be paused.
  return new ReadableStream(source as unknown as StreamSource, { highWaterMark: 0 });
}

/** Programs that read into their own buffers (`mode: 'byob'`) can go on doing so where the platform lets them. */
function isByteStream(body: ReadableStream | null): boolean {
  try {
    body?.getReader({ mode: 'byob' }).releaseLock();
    return body !== null;
  } catch {
    return false;
  }
}

/** A constructed response has no address of its own; it keeps the one that was answered from, and so do its clones. */
function dress(answer: Response, origin: Partial<Response>): Response {
  for (const [name, value] of Object.entries(origin)) Object.defineProperty(answer, name, { value });
  const clone = () => dress(Response.prototype.clone.call(answer), origin);
  return Object.defineProperty(answer, 'clone', { value: clone });
}
