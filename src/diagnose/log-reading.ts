/** Reads a log line by line and keeps what a person would note down: incidents, their tools, hosts, times and commands. */
import type { Tool } from './explain-row.ts';
import {
  addBounded,
  addMatches,
  type Cause,
  CauseBook,
  type Incident,
  MAX_GAP_LINES,
  openIncident,
  type Place,
} from './incident.ts';
import {
  commandIn,
  hostsIn,
  originIn,
  pipMissingIn,
  pipRequirementIn,
  pythonScriptIn,
  type SeenCommand,
  timeIn,
  unsafeMethodIn,
  urlsIn,
} from './line-facts.ts';
import type { LogLine } from './line-reader.ts';
import {
  depthRank,
  type ErrorHead,
  errorHeadIn,
  isConnector,
  isContinuation,
  isPropertyLine,
  isSourceLine,
  type Reading,
  type RowMatch,
  readLine,
} from './reading.ts';

const MAX_REQUIREMENTS = 4;
/** Lines before an incident in which its time is looked for: the head of a stack, the line that a logger began. */
const MAX_HEAD_LINES = 12;

/** What the whole log tells beside its causes. */
export interface LogFacts {
  readonly causes: readonly Cause[];
  readonly tools: ReadonlySet<Tool>;
  readonly commands: ReadonlyMap<Tool, SeenCommand>;
  readonly script: string | undefined;
}

export class LogReading {
  readonly #book = new CauseBook();
  readonly #tools = new Set<Tool>();
  readonly #commands = new Map<Tool, SeenCommand>();
  readonly #requirements = new Set<string>();
  readonly #heads: string[] = [];
  #missing: string | undefined;
  #errorHead: ErrorHead | undefined;
  #script: string | undefined;
  #isWriting = false;
  #incident: Incident | undefined;
  /** What the line at hand has shown already, in a piece of it before. */
  #seenInLine = new Set<string>();

  read({ number, text, isContinued }: LogLine): void {
    if (!isContinued) this.#seenInLine = new Set();
    this.#noteRun(text);
    const reading = isSourceLine(text) ? undefined : readLine(text, this.#errorHead);
    for (const tool of reading?.tools ?? []) this.#tools.add(tool);
    this.#isWriting ||= reading?.isWriting === true;
    const matches = (reading?.matches ?? []).filter(({ row }) => !this.#seenInLine.has(row.id));
    if (reading === undefined || matches.length === 0) this.#pass(text, reading);
    else this.#note({ ...reading, matches }, text, number);
    this.#errorHead = errorHeadIn(text) ?? this.#errorHead;
    this.#keepHead(text);
  }

  end(): LogFacts {
    this.#close();
    return { causes: this.#book.causes(), tools: this.#tools, commands: this.#knownCommands(), script: this.#script };
  }

  #note(reading: Reading, text: string, number: number): void {
    for (const { row } of reading.matches) this.#seenInLine.add(row.id);
    const place: Place = { line: number, time: timeIn(text) ?? this.#timeAbove() };
    if (!this.#goesOn(reading, text)) this.#close();
    const incident = this.#incident ?? this.#open(reading.matches[0]!, text, place);
    addMatches(incident, reading.matches, text, place);
    for (const tool of reading.tools) incident.tools.add(tool);
    for (const { row } of reading.matches) incident.tools.add(row.by);
    addBounded(incident.hosts, hostsIn(text));
    addBounded(incident.urls, urlsIn(text));
    if (incident.tools.has('wget') && incident.urls.size === 0) addBounded(incident.urls, this.#urlAbove());
    incident.origin ??= originIn(text);
    incident.method ??= unsafeMethodIn(text);
    incident.isWriting ||= this.#isWriting;
    incident.isOpen = isConnector(text);
  }

  #open(match: RowMatch, text: string, place: Place): Incident {
    const incident = openIncident(match, text, place);
    this.#incident = incident;
    return incident;
  }

  /** wget and others name the URL in a line before the trouble. */
  #urlAbove(): readonly string[] {
    for (let index = this.#heads.length - 1; index >= 0; index -= 1) {
      const urls = urlsIn(this.#heads[index]!);
      if (urls.length > 0) return urls;
    }
    return [];
  }

  /** Whether a line belongs to the incident at hand. A second reason of its own, on a line of its own, is a new one. */
  #goesOn({ matches }: Reading, text: string): boolean {
    const incident = this.#incident;
    if (incident === undefined) return false;
    if (incident.isOpen || isPropertyLine(text) || isContinuation(text)) return true;
    const hasReason = (rank: number) => rank <= depthRank('cause');
    const deepest = Math.min(...matches.map(({ row }) => depthRank(row.depth)));
    if (hasReason(deepest) && hasReason(depthRank(incident.cause.row.depth))) return false;
    // The same words again are the next occurrence, not a part of this one.
    return (
      hasReason(deepest) ||
      matches.some(({ row }) => !incident.rows.has(row)) ||
      deepest > depthRank(incident.cause.row.depth)
    );
  }

  #pass(text: string, reading: Reading | undefined): void {
    const incident = this.#incident;
    if (incident === undefined) return;
    for (const tool of reading?.tools ?? []) incident.tools.add(tool);
    if (isConnector(text)) incident.isOpen = true;
    if (incident.isOpen || text === '' || isContinuation(text)) return;
    incident.gapLines += 1;
    if (incident.gapLines > MAX_GAP_LINES) this.#close();
  }

  #close(): void {
    if (this.#incident !== undefined) this.#book.add(this.#incident);
    this.#incident = undefined;
  }

  #noteRun(text: string): void {
    const command = commandIn(text);
    if (command !== undefined) this.#commands.set(command.tool, command);
    const requirement = pipRequirementIn(text);
    if (requirement !== undefined && this.#requirements.size <= MAX_REQUIREMENTS) this.#requirements.add(requirement);
    this.#missing = pipMissingIn(text) ?? this.#missing;
    this.#script ??= pythonScriptIn(text);
  }

  /** pip echoes no command, but names what it was asked for. */
  #knownCommands(): ReadonlyMap<Tool, SeenCommand> {
    const missing = this.#missing === undefined ? [] : [this.#missing];
    const wanted = this.#requirements.size === 0 ? missing : [...this.#requirements];
    if (this.#commands.has('pip') || wanted.length === 0 || wanted.length > MAX_REQUIREMENTS) return this.#commands;
    return new Map([...this.#commands, ['pip', { tool: 'pip', text: `pip install ${wanted.join(' ')}` }]]);
  }

  #keepHead(text: string): void {
    this.#heads.push(text);
    if (this.#heads.length > MAX_HEAD_LINES) this.#heads.shift();
  }

  #timeAbove(): string | undefined {
    for (let index = this.#heads.length - 1; index >= 0; index -= 1) {
      const time = timeIn(this.#heads[index]!);
      if (time !== undefined) return time;
    }
    return undefined;
  }
}
