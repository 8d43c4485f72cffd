/** The frame of the shipped clients: `node CLIENT.js MODULE… URL FILE`, exit 0 or a line on stderr and 1. */
import { createWriteStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** What every client is given where it has such a knob, so that they are compared and not their defaults. */
export const knobs = { attempts: 20, silenceMs: 2_000, minDelayMs: 100, maxDelayMs: 1_000 } as const;

// biome-ignore lint/suspicious/noExplicitAny: the peers are not installed where this is compiled
export type Peer = any;

export type Download = (url: string, file: string, peers: readonly Peer[]) => Promise<void>;

export async function runClient(download: Download): Promise<void> {
  const args = process.argv.slice(2);
  const [url = '', file = ''] = args.slice(-2);
  const peers = await Promise.all(args.slice(0, -2).map(async (module) => defaultOf(await import(module))));
  try {
    await download(url, file, peers);
    process.exit(0);
  } catch (error) {
    process.stderr.write(`${describe(error)}\n`);
    process.exit(1);
  }
}

export async function save(body: Readable, file: string): Promise<void> {
  await pipeline(body, createWriteStream(file));
}

/** A CommonJS package inside of a module has its default one or two levels down. */
function defaultOf(module: Peer): Peer {
  return module.default?.default ?? module.default ?? module;
}

function describe(error: unknown): string {
  const parts: string[] = [];
  for (let link = error; link instanceof Error && parts.length < 5; link = link.cause) {
    const { code } = link as NodeJS.ErrnoException;
    parts.push(`${link.name}: ${link.message.split('\n', 1)[0]}${code === undefined ? '' : ` [${code}]`}`);
  }
  return parts.join(' <- ') || String(error);
}
