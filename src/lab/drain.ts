import type { Socket } from 'node:net';
import { unacknowledgedBytes } from './send-queue.ts';

const sliceMs = 10;

/** A client that does not read at all must not hold up a cut for ever. */
const longestMs = 2000;

/**
 * Gives the client time to take what was sent, before a reset: what the kernel still holds is lost by it, and
 * what the client's event loop has not read yet may read as an orderly end (libuv). In slices, so that a client
 * in this very process gets its turns however busy the process is.
 */
export async function drainSocket(socket: Socket, forMs: number, left: Promise<void>): Promise<void> {
  if (forMs <= 0) return;
  let hasLeft = false;
  void left.then(() => {
    hasLeft = true;
  });
  for (let waitedMs = 0; waitedMs < longestMs && !hasLeft; waitedMs += sliceMs) {
    if (((await unacknowledgedBytes(socket)) ?? 0) === 0) break;
    await pauseUntil(sliceMs, left);
  }
  for (let leftMs = forMs; leftMs > 0 && !hasLeft; leftMs -= sliceMs) await pauseUntil(Math.min(leftMs, sliceMs), left);
}

/** Waits for a time, or until `left` resolves. */
export async function pauseUntil(forMs: number, left: Promise<void>): Promise<void> {
  if (forMs <= 0) return;
  let timer: NodeJS.Timeout | undefined;
  const passed = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, forMs);
  });
  await Promise.race([passed, left]);
  clearTimeout(timer);
}
