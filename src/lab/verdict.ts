/** What a scenario says about the n-th connection and the n-th request. Pure: the same facts, the same verdict. */
import type { ConnectionFault, Fault, RequestFilter, RequestRule, Scenario, Selector } from './scenario.ts';

/** What a verdict may depend on. */
export interface RequestFacts {
  /** 1-based in the run. */
  readonly n: number;
  readonly method: string;
  /** The last segment of the path. */
  readonly file: string;
  readonly hasRange: boolean;
  /** 1-based. */
  readonly requestOnConnection: number;
  /** Requests of the run without an end of their answer, this one included. */
  readonly concurrentRequests: number;
  /** Since the run began. */
  readonly atMs: number;
  /** The token of a signed URL. */
  readonly token?: string;
}

/** The faults that meet this request; none means a correct answer. `earlier` holds the facts of requests 1 to n-1. */
export function faultsForRequest(
  scenario: Scenario,
  facts: RequestFacts,
  earlier: readonly RequestFacts[],
): readonly Fault[] {
  if (facts.token !== undefined && isSpent(facts.token, earlier))
    return [{ kind: 'status', status: 403, bodyText: 'the signature has expired\n' }];
  const rule = scenario.requests?.find((candidate) => matchesRule(candidate, facts, earlier));
  if (rule === undefined) return [];
  return isSeveral(rule.do) ? rule.do : [rule.do];
}

/** The fault that meets a connection as it is accepted. */
export function faultForConnection(
  scenario: Scenario,
  n: number,
  openConnections: number,
): ConnectionFault | undefined {
  return scenario.connections?.find(
    (rule) => selects(rule.on, n) && (rule.concurrentAbove === undefined || openConnections > rule.concurrentAbove),
  )?.do;
}

/** Whether counting from 1 has come to something that the selector names. */
export function selects(selector: Exclude<Selector, 'resumes'>, n: number): boolean {
  if (selector === 'every') return true;
  if (typeof selector === 'number') return selector === n;
  if (isList(selector)) return selector.includes(n);
  return n >= (selector.from ?? 1) && n <= (selector.to ?? Number.POSITIVE_INFINITY);
}

/** A signed URL's token: how many requests it serves and which redirect made it. */
export function createToken(validForRequests: number, requestNumber: number): string {
  return `${validForRequests}-${requestNumber}`;
}

function isSpent(token: string, earlier: readonly RequestFacts[]): boolean {
  const validForRequests = Number.parseInt(token, 10);
  return earlier.filter((facts) => facts.token === token).length >= validForRequests;
}

function matchesRule(rule: RequestRule, facts: RequestFacts, earlier: readonly RequestFacts[]): boolean {
  if (rule.where !== undefined && !passes(rule.where, facts)) return false;
  if (rule.on === 'resumes') return facts.hasRange;
  if (rule.on === 'every') return true;
  const filter = rule.where;
  const count = filter === undefined ? facts.n : 1 + earlier.filter((other) => passes(filter, other)).length;
  return selects(rule.on, count);
}

function passes(filter: RequestFilter, facts: RequestFacts): boolean {
  const { method, file, range, requestOnConnection, concurrentAbove, withinMs } = filter;
  if (method !== undefined && !(typeof method === 'string' ? [method] : method).includes(facts.method)) return false;
  if (file !== undefined && file !== facts.file) return false;
  if (range !== undefined && (range === 'present') !== facts.hasRange) return false;
  if (concurrentAbove !== undefined && facts.concurrentRequests <= concurrentAbove) return false;
  if (withinMs !== undefined && facts.atMs > withinMs) return false;
  return requestOnConnection === undefined || selects(requestOnConnection, facts.requestOnConnection);
}

function isSeveral(value: Fault | readonly Fault[]): value is readonly Fault[] {
  return Array.isArray(value);
}

function isList(value: Exclude<Selector, string | number>): value is readonly number[] {
  return Array.isArray(value);
}
