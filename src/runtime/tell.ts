/** A listener that throws is its owner's bug, told as an uncaught error; it must not end up in the middle of an exchange. */
export function tell<T>(listener: ((event: T) => void) | undefined, event: T): void {
  try {
    listener?.(event);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
