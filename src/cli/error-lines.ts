import { describeCauses, redactUrl } from '../core/index.ts';

/** The one line that a person gets. */
export function firstLineOf(error: unknown): string {
  const text = error instanceof Error ? error.message || error.name : String(error);
  return redactUrl(text.split('\n', 1)[0]!);
}

/** `Caused by:` lines, whether the message has them already or not. */
export function causesOf(error: unknown): readonly string[] {
  const told = error instanceof Error ? error.message.split('\n').slice(1) : [];
  return (told.length > 0 ? told : describeCauses(error)).map(redactUrl);
}
