/** How long an upstream asked to be left alone; an instant on the monotonic clock, or nothing. */
export type PushbackMemory = number | undefined;

/** A wish beyond this is remembered as this: nothing stays throttled for ever, whatever a header says. */
export const MAX_PUSHBACK_MEMORY_MS = 600_000;

/** The later of the old wish and the new one: a second answer that asks for less does not undo the first. */
export function rememberPushback(memory: PushbackMemory, pushbackMs: number, nowMs: number): number {
  const untilMs = nowMs + Math.min(Math.max(0, pushbackMs), MAX_PUSHBACK_MEMORY_MS);
  return memory === undefined ? untilMs : Math.max(memory, untilMs);
}

/** How long it is still to be left alone; 0 when it may be asked. */
export function heldForMs(memory: PushbackMemory, nowMs: number): number {
  return memory === undefined ? 0 : Math.max(0, memory - nowMs);
}
