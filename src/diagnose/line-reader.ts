/** Bytes of a log to clean lines, in flat memory: whatever the encoding, colours, progress bars and lengths in it. */

/** A longer line is read in pieces that overlap, so that nothing in it is missed. */
export const MAX_LINE_CHARACTERS = 16_384;
const OVERLAP_CHARACTERS = 1_024;

export interface LogLine {
  /** From 1; the pieces of one line share its number. */
  readonly number: number;
  readonly text: string;
  /** A further piece of a line that was too long, or what a progress bar wrote over it. */
  readonly isContinued: boolean;
}

export interface LineReader {
  push(chunk: Uint8Array | string): void;
  end(): void;
  readonly lineCount: number;
}

/** Terminal sequences: colours and cursor (CSI), titles and links (OSC), character sets. Each is read once from its ESC. */
const ESC = String.raw`\u001b`;
/** Made of text, since a linter is right to wonder about control characters in a literal; terminals are made of them. */
const terminalSequence = new RegExp(
  `${ESC}(?:\\[[0-9;:?]{0,64}[ -/]{0,8}[@-~]|\\][^\\u0007${ESC}]{0,2048}(?:\\u0007|${ESC}\\\\)|[()][0-9A-B]|[=>78])`,
  'g',
);
const control = /\p{Cc}/gu;

export function createLineReader(onLine: (line: LogLine) => void): LineReader {
  const lineEnd = /\r\n|\n|\r/g;
  let decoder: InstanceType<typeof TextDecoder> | undefined;
  let rest = '';
  let isContinued = false;
  let lineCount = 0;

  const emit = (text: string) => {
    if (!isContinued) lineCount += 1;
    onLine({ number: lineCount, text: clean(text), isContinued });
  };
  const take = (text: string) => {
    rest = rest === '' ? text : rest + text;
    let from = 0;
    lineEnd.lastIndex = 0;
    for (let end = lineEnd.exec(rest); end !== null; end = lineEnd.exec(rest)) {
      // What follows a carriage return may not have come yet.
      if (end[0] === '\r' && lineEnd.lastIndex === rest.length) break;
      emitPieces(rest.slice(from, end.index));
      // A carriage return alone writes over the same line.
      isContinued = end[0] === '\r';
      from = lineEnd.lastIndex;
    }
    rest = from === 0 ? rest : rest.slice(from);
    while (rest.length > MAX_LINE_CHARACTERS) takePiece();
  };
  const takePiece = () => {
    emit(rest.slice(0, MAX_LINE_CHARACTERS));
    isContinued = true;
    rest = rest.slice(MAX_LINE_CHARACTERS - OVERLAP_CHARACTERS);
  };
  const emitPieces = (line: string) => {
    if (line.length <= MAX_LINE_CHARACTERS) return emit(line);
    for (
      let from = 0;
      from === 0 || from < line.length - OVERLAP_CHARACTERS;
      from += MAX_LINE_CHARACTERS - OVERLAP_CHARACTERS
    ) {
      emit(line.slice(from, from + MAX_LINE_CHARACTERS));
      isContinued = true;
    }
  };
  return {
    push(chunk) {
      if (typeof chunk === 'string') return take(chunk);
      decoder ??= new TextDecoder(encodingOf(chunk));
      take(decoder.decode(chunk, { stream: true }));
    },
    end() {
      if (decoder !== undefined) take(decoder.decode());
      if (rest !== '') emitPieces(rest);
      rest = '';
    },
    get lineCount() {
      return lineCount;
    },
  };
}

function clean(text: string): string {
  return text.replace(terminalSequence, '').replace(control, ' ');
}

/** What a Windows shell redirects into a file is UTF-16; all else is read as UTF-8, and bytes that are none are marked so. */
function encodingOf(chunk: Uint8Array): string {
  if (chunk[0] === 0xff && chunk[1] === 0xfe) return 'utf-16le';
  return chunk[0] === 0xfe && chunk[1] === 0xff ? 'utf-16be' : 'utf-8';
}
