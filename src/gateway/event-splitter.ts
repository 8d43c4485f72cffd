/** Cuts a stream of server-sent events into whole events, byte for byte, wherever its chunks end. */

const LF = 0x0a;
const CR = 0x0d;

export class EventSplitter {
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  /** Of the line that was begun in an earlier chunk. */
  #lineBytes = 0;
  #isLineOnlyCr = true;

  /** Bytes of an event that has not ended. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** The events that end in this chunk, each with the blank line that ends it. */
  push(chunk: Buffer): readonly Buffer[] {
    const events: Buffer[] = [];
    let eventStart = 0;
    let lineStart = 0;
    for (let at = chunk.indexOf(LF); at !== -1; at = chunk.indexOf(LF, lineStart)) {
      const isBlank = this.#isBlank(chunk, lineStart, at);
      lineStart = at + 1;
      this.#lineBytes = 0;
      this.#isLineOnlyCr = true;
      if (!isBlank) continue;
      events.push(this.#take(chunk.subarray(eventStart, lineStart)));
      eventStart = lineStart;
    }
    for (let i = lineStart; i < chunk.length && this.#isLineOnlyCr; i += 1) this.#isLineOnlyCr = chunk[i] === CR;
    this.#lineBytes += chunk.length - lineStart;
    if (eventStart < chunk.length) {
      this.#pending.push(eventStart === 0 ? chunk : chunk.subarray(eventStart));
      this.#pendingBytes += chunk.length - eventStart;
    }
    return events;
  }

  #isBlank(chunk: Buffer, lineStart: number, lineEnd: number): boolean {
    const bytes = this.#lineBytes + lineEnd - lineStart;
    if (bytes === 0) return true;
    if (bytes !== 1) return false;
    return lineEnd > lineStart ? chunk[lineStart] === CR : this.#isLineOnlyCr;
  }

  #take(last: Buffer): Buffer {
    if (this.#pending.length === 0) return last;
    const event = Buffer.concat([...this.#pending, last]);
    this.#pending = [];
    this.#pendingBytes = 0;
    return event;
  }
}

export interface ParsedEvent {
  readonly name: string | undefined;
  /** Undefined for comments and blank lines. */
  readonly data: string | undefined;
}

/** The fields of one event (WHATWG HTML, 9.2.6). */
export function parseEvent(event: Buffer): ParsedEvent {
  let name: string | undefined;
  let data: string | undefined;
  for (const line of event.toString('utf8').split('\n')) {
    if (line.startsWith('data:')) {
      const value = afterColon(line, 5);
      data = data === undefined ? value : `${data}\n${value}`;
    } else if (line.startsWith('event:')) name = afterColon(line, 6);
  }
  return { name, data };
}

function afterColon(line: string, from: number): string {
  const start = line.charCodeAt(from) === 0x20 ? from + 1 : from;
  const end = line.endsWith('\r') ? line.length - 1 : line.length;
  return line.slice(start, end);
}
