/** What hears the caller's signal. */
export interface Abortable {
  abort(reason: unknown): void;
}

/**
 * Hears a signal without keeping the listener alive: a program may drop an answer unread and hold its signal for ever, and
 * the platform must still be able to collect the answer and close its connection.
 *
 * @returns takes the listener off the signal
 */
export function listenTo(signal: AbortSignal, listener: Abortable): () => void {
  const held = holdWeakly(listener);
  const onAbort = () => held.deref()?.abort(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  return () => signal.removeEventListener('abort', onAbort);
}

interface Held {
  deref(): Abortable | undefined;
}

/** No closure here: whatever one of them captured, V8 would keep for all of them. */
function holdWeakly(listener: Abortable): Held {
  // Some Workers run without it; their signals live as long as one request.
  return typeof WeakRef === 'undefined' ? new StrongRef(listener) : new WeakRef(listener);
}

class StrongRef implements Held {
  readonly #listener: Abortable;

  constructor(listener: Abortable) {
    this.#listener = listener;
  }

  deref(): Abortable {
    return this.#listener;
  }
}
