import { type EndProbeVerdict, GaveUpError, judgeEndProbe } from '../core/index.ts';
import type { Client } from '../http/index.ts';
import { fieldsOf } from './answer.ts';
import { mayProbe, type ProbeFacts } from './end-probe.ts';
import type { Requests } from './requests.ts';

/** Asks for what follows a body, and has core judge the answer: at most a few times in a download, and only where nothing else proves its end. */
export class EndProber {
  readonly #requests: Requests;
  #probeCount = 0;

  constructor(requests: Requests) {
    this.#requests = requests;
  }

  async probe(
    facts: Omit<ProbeFacts, 'probeCount'>,
    { client, url, signal }: { readonly client: Client; readonly url: string; readonly signal: AbortSignal },
  ): Promise<EndProbeVerdict> {
    if (!mayProbe({ ...facts, probeCount: this.#probeCount })) return { kind: 'unknown' };
    this.#probeCount += 1;
    const lease = await this.#requests.acquire(url, { signal, isExtra: false });
    try {
      const { statusCode, headers, body } = await this.#requests.probe(client, url, facts.bytes, signal);
      body.on('error', () => {}).destroy();
      return judgeEndProbe(facts.bytes, facts.pin.representation, { statusCode, ...fieldsOf(headers) });
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
