import { GaveUpError } from '../core/index.ts';
import type { Client } from '../http/index.ts';
import { fieldsOf } from './answer.ts';
import { judgeProbe, mayProbe, type ProbeAnswer, type ProbeFacts, type ProbeVerdict } from './end-probe.ts';
import type { Requests } from './requests.ts';

/** Asks what `end-probe.ts` judges: at most a few times in a download, and only where nothing else proves its end. */
export class EndProber {
  readonly #requests: Requests;
  #probeCount = 0;

  constructor(requests: Requests) {
    this.#requests = requests;
  }

  async probe(
    facts: Omit<ProbeFacts, 'probeCount'>,
    { client, url, signal }: { readonly client: Client; readonly url: string; readonly signal: AbortSignal },
  ): Promise<ProbeVerdict> {
    if (!mayProbe({ ...facts, probeCount: this.#probeCount })) return { kind: 'unknown' };
    this.#probeCount += 1;
    const lease = await this.#requests.acquire(url, { signal, isExtra: false });
    try {
      const { statusCode, headers, body } = await this.#requests.probe(client, url, facts.bytes, signal);
      body.on('error', () => {}).destroy();
      const answer: ProbeAnswer = { statusCode, ...fieldsOf(headers) };
      return judgeProbe(facts.bytes, facts.pin, answer);
    } catch (error) {
      signal.throwIfAborted();
      // The body is here; that nobody could say more about its end is no failure.
      if (error instanceof GaveUpError) return { kind: 'unknown' };
      throw error;
    } finally {
      lease.release();
    }
  }
}
