import { describe, expect, test } from 'vitest';
import { createLineReader, type LogLine, MAX_LINE_CHARACTERS } from './line-reader.ts';

function linesOf(...chunks: readonly (string | Uint8Array)[]): LogLine[] {
  const lines: LogLine[] = [];
  const reader = createLineReader((line) => lines.push(line));
  for (const chunk of chunks) reader.push(chunk);
  reader.end();
  return lines;
}

const texts = (lines: readonly LogLine[]) => lines.map(({ number, text }) => `${number} ${text}`);

describe('lines', () => {
  test('end in LF or CRLF, wherever a chunk ends', () => {
    const log = 'one\r\ntwo\nthree';
    for (let at = 0; at <= log.length; at += 1) {
      expect(texts(linesOf(log.slice(0, at), log.slice(at)))).toEqual(['1 one', '2 two', '3 three']);
    }
  });

  test('that a progress bar writes over keep their number', () => {
    expect(texts(linesOf('10%\r50%\rfailed\nnext\n'))).toEqual(['1 10%', '1 50%', '1 failed', '2 next']);
  });

  test('lose their colours, titles and control characters', () => {
    const line = '\u001b[31;1mConnection \u001b[0mreset\u001b]0;title\u0007 by\u0000peer';
    expect(texts(linesOf(line))).toEqual(['1 Connection reset by peer']);
  });

  test('may hold bytes that are no UTF-8, and characters cut by a chunk', () => {
    const bytes = Buffer.concat([Buffer.from([0xe9, 0xff]), Buffer.from('é\n')]);
    expect(texts(linesOf(bytes.subarray(0, 3), bytes.subarray(3)))).toEqual(['1 \ufffd\ufffdé']);
  });

  test('are read as UTF-16 behind its mark, as Windows shells write them', () => {
    expect(texts(linesOf(Buffer.from('\ufeffone\r\ntwo', 'utf16le')))).toEqual(['1 one', '2 two']);
  });

  test.each([1, 3])('that are too long come in pieces that overlap, in %i chunks', (chunkCount) => {
    const needle = 'Connection reset by peer';
    const long = 'x'.repeat(MAX_LINE_CHARACTERS - 10) + needle + 'y'.repeat(3 * MAX_LINE_CHARACTERS);
    const size = Math.ceil(long.length / chunkCount);
    const chunks = Array.from({ length: chunkCount }, (_, index) => long.slice(index * size, (index + 1) * size));
    const lines = linesOf(...chunks, '\nnext');
    expect(lines.slice(0, -1).every(({ number, text }) => number === 1 && text.length <= MAX_LINE_CHARACTERS)).toBe(
      true,
    );
    expect(lines.some(({ text }) => text.includes(needle))).toBe(true);
    expect(lines.at(-1)).toEqual({ number: 2, text: 'next', isContinued: false });
  });
});
