import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';

/**
 * Bytes that the kernel has taken from us and the peer's kernel has not yet acknowledged; a reset throws
 * them away. `undefined` where the kernel does not tell (everywhere but on Linux).
 */
export async function unacknowledgedBytes(socket: Socket): Promise<number | undefined> {
  const { localPort, remotePort, localFamily } = socket;
  if (process.platform !== 'linux' || localPort === undefined || remotePort === undefined) return undefined;
  try {
    const table = await readFile(localFamily === 'IPv6' ? '/proc/net/tcp6' : '/proc/net/tcp', 'latin1');
    return queuedIn(table, localPort, remotePort);
  } catch {
    return undefined;
  }
}

/** Finds the line `sl: local:PORT remote:PORT st tx_queue:rx_queue …`, all in hex (Linux, proc_net_tcp). */
export function queuedIn(table: string, localPort: number, remotePort: number): number | undefined {
  const port = (value: number) => value.toString(16).toUpperCase().padStart(4, '0');
  const line = new RegExp(`[0-9A-F]+:${port(localPort)} [0-9A-F]+:${port(remotePort)} [0-9A-F]{2} ([0-9A-F]{8}):`);
  const queued = line.exec(table)?.[1];
  return queued === undefined ? undefined : Number.parseInt(queued, 16);
}
