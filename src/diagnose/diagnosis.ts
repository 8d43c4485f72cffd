/** What a diagnosis says, as plain data that may be shown: no credential is in it. */
import type { ExperimentId } from './inference/experiment-list.ts';
import type { Movement, Verdict } from './inference/judge.ts';
import type { ConnectionEnd, Symptom, TlsTrace } from './probe/trace.ts';

export interface Diagnosis {
  /** Without user, password and secret parameters. */
  readonly url: string;
  readonly method: string;
  /** UTC. */
  readonly startedAt: string;
  readonly tookMs: number;
  readonly requestCount: number;
  readonly connectionCount: number;
  readonly bytesRead: number;
  /** How this machine reaches the network. */
  readonly surroundings: readonly string[];
  readonly steps: readonly Step[];
  readonly verdict: Verdict;
  /** Numbers that later experiments found, for the advice. */
  readonly measured: Measured;
  readonly notes: readonly string[];
  /** What is known of the versions of clients that fared differently. */
  readonly knownFaults: readonly string[];
  readonly connections: readonly ShownConnection[];
  /** Why no further experiment was made. */
  readonly endedBy: 'enough' | 'requests' | 'time';
}

export interface Measured {
  readonly atOnceOk?: number;
  /** No more than so many go well at once. */
  readonly limitNumber?: number;
  readonly limitOf?: 'proxy' | 'server';
  readonly cutBytes?: number;
  readonly cutMs?: number;
  readonly idleLivedMs?: number;
  readonly idleEndedMs?: number;
  readonly uploadOkBytes?: number;
  readonly limitedAfter?: number;
  readonly retryAfterMs?: number;
  readonly curedHeader?: string;
  readonly issuer?: string;
  readonly httpVersion?: string;
  readonly proxy?: string;
  readonly address?: string;
}

/** One experiment, why it was chosen, and what it has moved. */
export interface Step {
  readonly experiment: ExperimentId;
  readonly changes: string;
  readonly asks: string;
  readonly expectedBits: number;
  readonly startedMs: number;
  readonly tookMs: number;
  readonly requests: number;
  readonly outcome: string;
  readonly outcomeWords: string;
  readonly evidence: string;
  readonly moved: Movement;
}

export interface ShownConnection {
  readonly n: number;
  readonly experiment: string;
  readonly startedMs: number;
  readonly endedMs?: number;
  readonly endedBy?: ConnectionEnd;
  readonly lookedUpMs?: number;
  readonly connectedMs?: number;
  readonly securedMs?: number;
  readonly proxy?: string;
  readonly address?: string;
  readonly port?: number;
  readonly localAddress?: string;
  readonly localPort?: number;
  readonly tls?: TlsTrace;
  readonly failure?: string;
  readonly requests: readonly ShownRequest[];
}

export interface ShownRequest {
  readonly n: number;
  readonly label: string;
  readonly method: string;
  /** UTC. */
  readonly at: string;
  readonly startedMs: number;
  readonly headersMs?: number;
  readonly endedMs?: number;
  readonly status?: number;
  readonly bodyBytes: number;
  readonly totalBytes?: number;
  readonly symptom: Symptom;
  /** In words. */
  readonly met: string;
  /** What the server, or who is between, calls this request. */
  readonly requestId?: string;
}

export type DiagnoseEvent =
  | {
      readonly type: 'experiment';
      readonly experiment: ExperimentId;
      readonly changes: string;
      readonly asks: string;
      readonly expectedBits: number;
      readonly requestCount: number;
    }
  | {
      readonly type: 'request';
      readonly experiment: string;
      readonly n: number;
      readonly label: string;
      readonly met: string;
      readonly symptom: Symptom;
    }
  | ({ readonly type: 'finding' } & Step)
  | { readonly type: 'diagnosis'; readonly diagnosis: Diagnosis };
