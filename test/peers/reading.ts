/** What the users in front of a real peer do. */
import type { Readable } from 'node:stream';
import { type Client, type ClientOptions, type Ledger, ledgerOf } from '../../src/http/index.ts';
import { quick } from '../wire/ways.ts';

/** For servers that are away as long as they need to start again. No clock of ours ends an attempt: a busy machine is no silent server. */
export const patient: ClientOptions = {
  ...quick,
  retry: { ...quick.retry, maxAttempts: 5_000 },
  timeouts: { connectMs: 10_000, headersMs: 10_000, stallMs: 10_000 },
};

/** For servers that fall silent. */
export const alert: ClientOptions = { ...patient, timeouts: quick.timeouts! };

/** Reads a body to its end, and does something once, when so many bytes have come. */
export async function readWith(body: Readable, atByte: number, act: () => unknown): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let count = 0;
  let acted: Promise<unknown> | undefined;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    count += chunk.length;
    if (count >= atByte) acted ??= Promise.resolve(act());
  }
  await acted;
  return Buffer.concat(chunks);
}

/** Eight users who ask for the same text again and again. */
export class Load {
  readonly ledgers: Ledger[] = [];
  readonly failures: unknown[] = [];
  readonly #users: readonly Promise<void>[];
  #isOver = false;
  #onServed: () => void = () => {};

  constructor(client: Client, url: string, text: string) {
    this.#users = Array.from({ length: 8 }, () => this.#ask(client, url, text));
  }

  async #ask(client: Client, url: string, text: string): Promise<void> {
    while (!this.#isOver) {
      try {
        const response = await client.fetch(url);
        const received = await response.text();
        if (response.status !== 200 || received !== text) throw new Error(`HTTP ${response.status}: ${received}`);
        this.ledgers.push(ledgerOf(response)!);
      } catch (error) {
        this.failures.push(error);
        this.#isOver = true;
      }
      this.#onServed();
    }
  }

  /** Resolves when so many more have been served; at once when one has failed. */
  async untilMore(count: number): Promise<void> {
    const goal = this.ledgers.length + count;
    while (this.ledgers.length < goal && this.failures.length === 0) {
      await new Promise<void>((resolve) => {
        this.#onServed = resolve;
      });
    }
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#users);
  }

  get hopCount(): number {
    return this.ledgers.reduce((sum, ledger) => sum + ledger.hopCount, 0);
  }

  get answeredHopCount(): number {
    return countAnswered(this.ledgers);
  }
}

/** Hops whose answer's head has come: those that a server which dies in peace has logged. */
export function countAnswered(ledgers: readonly Ledger[]): number {
  const hops = ledgers.flatMap((ledger) => ledger.attempts).flatMap((attempt) => attempt.hops);
  return hops.filter((hop) => hop.status !== undefined).length;
}
