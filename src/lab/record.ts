/** How an answer ended: as it should, by a cut of the lab, in silence, by the client, or not yet. */
export type AnswerEnd =
  | 'complete'
  | 'fin'
  | 'rst'
  | 'stall'
  | 'client'
  | 'none'
  | 'rst-stream'
  | 'goaway'
  | 'end-stream';

/** What was really sent for one request. */
export interface AnswerRecord {
  /** The status that was put on the wire; absent where no status line was sent. */
  readonly status?: number;
  /** Whether the whole head was sent. */
  readonly headersSent: boolean;
  /** Body bytes without framing, as accepted by the kernel. */
  readonly bodyBytesSent: number;
  readonly endedBy: AnswerEnd;
  /** Whether everything that the head promised was sent. */
  readonly complete: boolean;
}

/** One request as it was read. */
export interface RequestRecord {
  /** 1-based, in the order in which the heads were read. */
  readonly n: number;
  readonly connectionId: number;
  /** 1-based; above 1 the client has reused the connection (over HTTP/2: another stream of it). */
  readonly requestOnConnection: number;
  /** Since the run began. */
  readonly atMs: number;
  readonly httpVersion: 'HTTP/1.0' | 'HTTP/1.1' | 'HTTP/2';
  readonly method: string;
  /** The request target without the lab's own part of it. */
  readonly path: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly rawHeaders: readonly string[];
  readonly bodyBytes: number;
  /** Hex, of what was read of the body. */
  readonly bodySha256: string;
  /** Whether the request was read to its end. */
  readonly isRead: boolean;
  readonly range?: string;
  readonly ifRange?: string;
  /** The kinds of the faults that met it. */
  readonly faults: readonly string[];
  readonly answered: AnswerRecord;
}

/** One TCP connection that served this run. */
export interface ConnectionRecord {
  /** Unique in the lab. */
  readonly id: number;
  /** 1-based in the run. */
  readonly n: number;
  readonly openedAtMs: number;
  readonly closedAtMs?: number;
  /** Requests of this run on it. */
  readonly requestCount: number;
  readonly faults: readonly string[];
}

/** A request that changed something: what a double send shows up in. */
export interface EffectRecord {
  readonly requestNumber: number;
  readonly method: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly idempotencyKey?: string;
}

/** All that the clients of one run did, and what they got; JSON-able at any time. */
export interface RunRecord {
  readonly connections: readonly ConnectionRecord[];
  readonly requests: readonly RequestRecord[];
  readonly effects: readonly EffectRecord[];
  /** Over all answers. */
  readonly bodyBytesSent: number;
}

/** The same shapes as the lab fills them in. */
export type Mutable<T> = { -readonly [K in keyof T]: T[K] };
export type OpenRequestRecord = Mutable<Omit<RequestRecord, 'answered' | 'faults'>> & {
  answered: Mutable<AnswerRecord>;
  faults: string[];
};
export type OpenConnectionRecord = Mutable<Omit<ConnectionRecord, 'faults'>> & { faults: string[] };

export interface OpenRunRecord extends RunRecord {
  readonly connections: OpenConnectionRecord[];
  readonly requests: OpenRequestRecord[];
  readonly effects: EffectRecord[];
}

export function createRecord(): OpenRunRecord {
  const requests: OpenRequestRecord[] = [];
  return {
    connections: [],
    requests,
    effects: [],
    get bodyBytesSent() {
      return requests.reduce((sum, request) => sum + request.answered.bodyBytesSent, 0);
    },
  };
}
