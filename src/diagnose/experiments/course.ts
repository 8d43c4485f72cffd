/** One diagnosis as its experiments see it: the request, the bench, and what was found before. */

import type { ExperimentId } from '../inference/experiment-list.ts';
import type { Bench } from '../probe/bench.ts';
import type { Connection } from '../probe/connection.ts';
import type { HeaderList } from '../probe/exchange.ts';
import type { Lookup, Route } from '../probe/route.ts';
import type { ConnectionTrace, RequestTrace } from '../probe/trace.ts';
import type { ClientVersions } from '../report/known-faults.ts';

/** The request that keeps failing, as it was given. */
export interface Subject {
  readonly url: URL;
  readonly method: string;
  /** With those that clients add by themselves. */
  readonly headers: HeaderList;
  /** Names, in lower case, of the headers that the caller gave. */
  readonly ownHeaders: readonly string[];
  readonly body: Buffer | undefined;
  /** An unsafe method is sent only by whoever asked for it. */
  readonly maySend: boolean;
  readonly mayWrite: boolean;
}

export interface Surroundings {
  readonly lookup: Lookup;
  /** Name servers to ask one by one; empty: none. */
  readonly resolvers: readonly string[];
  /** Other clients that may be started. */
  readonly otherClients: boolean;
  /** Where the caller has set them, other clients get the same authorities. */
  readonly caText: string | undefined;
  /** Read bodies to their end, however long it takes within the limits. */
  readonly isWhole: boolean;
}

/** What later experiments need of earlier ones. */
export interface Memory {
  /** The last hop of the plain request. */
  plain: RequestTrace | undefined;
  plainConnection: ConnectionTrace | undefined;
  /** Requests whose bodies were cut, all read alike. */
  readonly cuts: RequestTrace[];
  /** Of a body that nothing delimits: whether what follows its last byte was shown to be nothing. */
  ending: 'proven' | 'unproven' | undefined;
  /** How many of six at once went well. */
  atOnceOk: number | undefined;
  /** No more than so many at once, and who says so, where a proxy is between. */
  limit: { readonly number: number; readonly whose: 'proxy' | 'server' | undefined } | undefined;
  /** A connection that has served one request, and idles. */
  line: KeptLine | undefined;
  /** The header by which it goes well, and how. */
  cure: { readonly header: string; readonly how: string } | undefined;
  /** The idle time that a kept connection outlived, and the one that it did not. */
  idle: { readonly livedMs: number; readonly endedMs: number | undefined } | undefined;
  /** Above this an upload failed, up to that it went well. */
  upload: { readonly okBytes: number; readonly failedBytes: number } | undefined;
  /** After so many requests the server had enough. */
  limitedAfter: number | undefined;
  /** Of other clients: what they are, where they fared differently. */
  clients: ClientVersions | undefined;
  readonly notes: string[];
}

export interface KeptLine {
  readonly connection: Connection;
  readonly first: RequestTrace;
  readonly method: string;
  readonly sinceMs: number;
}

export interface Course {
  readonly subject: Subject;
  readonly surroundings: Surroundings;
  readonly bench: Bench;
  readonly memory: Memory;
  /** Where requests go; behind redirects, the last one. */
  route: Route;
  /** The same over HTTP/2, where the server offers it. */
  http2Route: Route | undefined;
  /** Where the request was given, where it redirects. */
  redirectedFrom: { readonly route: Route; readonly headers: HeaderList } | undefined;
  /** Headers for that place: credentials do not cross origins. */
  headers: HeaderList;
  /** Outcomes so far. */
  readonly outcomes: Map<ExperimentId, string>;
}

export interface Observation {
  readonly outcome: string;
  /** What was seen, with its numbers. */
  readonly evidence: string;
}

export interface Experiment {
  readonly id: ExperimentId;
  /** Whether it can be done, and could tell something. */
  isPossible(course: Course): boolean;
  /** False: it would only wait. Others come first. */
  isRipe?(course: Course): boolean;
  run(course: Course): Promise<Observation>;
}

export function createMemory(): Memory {
  return {
    plain: undefined,
    plainConnection: undefined,
    cuts: [],
    ending: undefined,
    atOnceOk: undefined,
    limit: undefined,
    line: undefined,
    cure: undefined,
    idle: undefined,
    upload: undefined,
    limitedAfter: undefined,
    clients: undefined,
    notes: [],
  };
}

/** The plain request went well. */
export function isPlainOk({ outcomes }: Course): boolean {
  return outcomes.get('plain') === 'ok';
}

/** It was sent, and something came of it. */
export function reachesServer({ memory }: Course): boolean {
  return memory.plain?.status !== undefined;
}
