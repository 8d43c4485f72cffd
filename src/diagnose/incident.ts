/**
 * One failure prints many lines: frames, wrappers, summaries. An incident gathers them; its deepest row is the cause, the
 * others follow from it. What is kept of a log is bounded by the number of rows, not by its length.
 */
import type { Phase } from '../core/index.ts';
import type { ExplainRow, Tool } from './explain-row.ts';
import { depthRank, isPropertyLine, type RowMatch } from './reading.ts';

/** Ordinary lines between two of one incident. */
export const MAX_GAP_LINES = 6;
const MAX_HOSTS = 8;

export interface Place {
  readonly line: number;
  readonly time: string | undefined;
}

export interface Incident {
  cause: RowMatch;
  /** The line of the cause, as it stood. */
  evidence: string;
  readonly rows: Map<ExplainRow, RowMatch>;
  readonly tools: Set<Tool>;
  readonly hosts: Set<string>;
  readonly urls: Set<string>;
  /** `http://host:port/`, where a line names both. */
  origin: string | undefined;
  method: string | undefined;
  isWriting: boolean;
  readonly first: Place;
  last: Place;
  /** Ordinary lines since its last one. */
  gapLines: number;
  /** The next line goes on with it, whatever it looks like. */
  isOpen: boolean;
}

/** What a log says of one cause, over all its incidents. */
export interface Cause {
  readonly match: RowMatch;
  readonly phase: Phase | undefined;
  evidence: string;
  count: number;
  readonly first: Place;
  last: Place;
  /** Which incident was its last: the later one is nearer to why the run ended. */
  order: number;
  readonly consequences: Map<ExplainRow, number>;
  readonly tools: Set<Tool>;
  readonly hosts: Set<string>;
  readonly urls: Set<string>;
  origin: string | undefined;
  method: string | undefined;
  isWriting: boolean;
}

export function openIncident(match: RowMatch, evidence: string, place: Place): Incident {
  return {
    cause: match,
    evidence,
    rows: new Map(),
    tools: new Set(),
    hosts: new Set(),
    urls: new Set(),
    origin: undefined,
    method: undefined,
    isWriting: false,
    first: place,
    last: place,
    gapLines: 0,
    isOpen: false,
  };
}

/** A property of an error that has told its reason says it again in a coarser way: `socket hang up` is an ECONNRESET. */
export function addMatches(incident: Incident, matches: readonly RowMatch[], line: string, place: Place): void {
  const isSettled = isPropertyLine(line) && givesReason(incident.cause.row);
  for (const match of matches) {
    if (!incident.rows.has(match.row)) incident.rows.set(match.row, match);
    if (!isSettled && depthRank(match.row.depth) < depthRank(incident.cause.row.depth)) {
      incident.cause = match;
      incident.evidence = line;
    }
  }
  incident.last = place;
  incident.gapLines = 0;
}

/** The phase that the incident's texts prove: the cause's own, or that of the deepest of the texts that say where it was. */
export function phaseOf({ cause, rows }: Incident): Phase | undefined {
  if (cause.row.phase !== undefined) return cause.row.phase;
  let best: ExplainRow | undefined;
  for (const row of rows.keys()) {
    if (row.phase === undefined || depthRank(row.depth) <= depthRank(cause.row.depth)) continue;
    if (best === undefined || depthRank(row.depth) < depthRank(best.depth)) best = row;
  }
  return best?.phase;
}

/** Texts that give no reason follow from the one that does, even where they stand apart from it. */
const givesReason = (row: ExplainRow) => depthRank(row.depth) <= depthRank('cause');

export class CauseBook {
  readonly #causes = new Map<string, Cause>();
  #order = 0;
  #lastReasoned: Cause | undefined;

  add(incident: Incident): void {
    this.#order += 1;
    const { row, status } = incident.cause;
    if (!givesReason(row) && this.#lastReasoned !== undefined) {
      for (const consequence of incident.rows.keys()) countUp(this.#lastReasoned.consequences, consequence);
      this.#lastReasoned.order = this.#order;
      this.#gather(this.#lastReasoned, incident);
      return;
    }
    const phase = phaseOf(incident);
    const key = `${row.id} ${status ?? ''} ${phase ?? ''}`;
    const cause = this.#causes.get(key) ?? this.#open(key, incident, phase);
    cause.count += 1;
    cause.last = incident.last;
    cause.order = this.#order;
    for (const consequence of incident.rows.keys()) {
      if (consequence !== row) countUp(cause.consequences, consequence);
    }
    this.#gather(cause, incident);
    if (givesReason(row)) this.#lastReasoned = cause;
  }

  /** Reasons before places and summaries; of those, the one that came last, since the run ended with it. */
  causes(): readonly Cause[] {
    const rank = ({ match }: Cause) => (givesReason(match.row) ? 0 : depthRank(match.row.depth));
    return [...this.#causes.values()].sort((one, other) => rank(one) - rank(other) || other.order - one.order);
  }

  #open(key: string, incident: Incident, phase: Phase | undefined): Cause {
    const cause: Cause = {
      match: incident.cause,
      phase,
      evidence: incident.evidence,
      count: 0,
      first: incident.first,
      last: incident.last,
      order: this.#order,
      consequences: new Map(),
      tools: new Set(),
      hosts: new Set(),
      urls: new Set(),
      origin: undefined,
      method: undefined,
      isWriting: false,
    };
    this.#causes.set(key, cause);
    return cause;
  }

  #gather(cause: Cause, incident: Incident): void {
    for (const tool of incident.tools) cause.tools.add(tool);
    addBounded(cause.hosts, incident.hosts);
    addBounded(cause.urls, incident.urls);
    cause.origin = incident.origin ?? cause.origin;
    cause.method = incident.method ?? cause.method;
    cause.isWriting ||= incident.isWriting;
  }
}

export function addBounded(target: Set<string>, values: Iterable<string>): void {
  for (const value of values) if (target.size < MAX_HOSTS) target.add(value);
}

function countUp(counts: Map<ExplainRow, number>, row: ExplainRow): void {
  counts.set(row, (counts.get(row) ?? 0) + 1);
}
