/**
 * Request bodies that can be sent again. An attempt with an emptied or shortened body never leaves: each attempt gets the
 * whole body anew, or the request gives up with `body-not-replayable`.
 */
/** Everything a caller may give as a body: what `fetch` takes, an async iterable, or a function that makes either. */
export type BodySource =
  | string
  | ArrayBuffer
  | ArrayBufferView
  | Blob
  | FormData
  | URLSearchParams
  | ReadableStream
  | AsyncIterable<unknown>
  | (() => BodySource)
  | null
  | undefined;

/** The part of an init that belongs to one production of the body. */
export interface BodyParts {
  readonly body?: unknown;
  /** Wanted by the Fetch Standard beside a stream. */
  readonly duplex?: 'half';
}

/** A request body as the driver sees it. */
export interface RequestBody {
  /** Bytes whose sending cannot be watched, since the platform takes them at once. */
  readonly unwatchedBytes: number;
  /** Bytes handed over so far, by streams. */
  readonly uploadedBytes: number;
  /** The caller's own source has nothing to give at the moment. */
  readonly isStarved: boolean;
  /** What the caller's own source has failed with. */
  readonly sourceError: { readonly error: unknown } | undefined;
  /** Reads what has to be read before the first attempt. */
  prepare(): Promise<void>;
  /** The whole body can be produced (again). */
  isReplayable(): boolean;
  /** The body for the next attempt. */
  produce(): BodyParts;
  /** Lets go of whatever is kept, and of a source that is not read to its end. */
  release(): void;
}
