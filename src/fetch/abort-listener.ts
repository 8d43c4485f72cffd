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
  const onAbort = () => held()?.abort(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  return () => signal.removeEventListener('abort', onAbort);
}

function holdWeakly(listener: Abortable): () => Abortable | undefined {
  // Some Workers run without it; their signals live as long as one request.
  if (typeof WeakRef === 'undefined') return () => listener;
  const reference = new WeakRef(listener);
  return () => reference.deref();
}
