/** Every 206 that a careful client refuses (and one that it must accept). Pure. */
import {
  type Answer,
  type AnswerContext,
  contentRange,
  representationFor,
  resourceAnswer,
  withHeader,
} from './answer.ts';
import { type ByteSource, emptySource, joined, partOf, sourceOfText } from './byte-source.ts';
import { type Span, selectRange } from './range-semantics.ts';
import type { Wrong206 } from './scenario.ts';

interface Asked {
  readonly span: Span;
  readonly whole: ByteSource;
  readonly shiftBytes: number;
  /** An answer with this span in its Content-Range, and these bytes. */
  part(span: Span, body?: ByteSource): Answer;
}

const boundary = 'reknit-lab-part';
const defaultShiftBytes = 4096;

/** The wrong 206 for the range that was asked for; without one, for the whole. */
export function wrong206(how: Wrong206, byBytes: number | undefined, context: AnswerContext): Answer {
  const whole = representationFor(context).source;
  const selected = selectRange(context.head.headers.range ?? 'bytes=0-', whole.sizeBytes);
  const span = selected.kind === 'part' ? selected.span : { from: 0, to: whole.sizeBytes };
  const part = (shown: Span, body = partOf(whole, shown.from, shown.to)): Answer => {
    const answer = { ...resourceAnswer(context, 206, shown), body };
    return withHeader(answer, 'Content-Range', contentRange(shown, whole.sizeBytes));
  };
  return wrongs[how]({ span, whole, part, shiftBytes: byBytes ?? defaultShiftBytes });
}

const wrongs: { readonly [K in Wrong206]: (asked: Asked) => Answer } = {
  'from-zero': ({ whole, part }) => part({ from: 0, to: whole.sizeBytes }),
  earlier: ({ span, part, shiftBytes }) => part({ from: Math.max(0, span.from - shiftBytes), to: span.to }),
  later: ({ span, part, shiftBytes }) => part({ from: Math.min(span.from + shiftBytes, span.to - 1), to: span.to }),
  'other-total': ({ span, whole, part, shiftBytes }) =>
    withHeader(part(span), 'Content-Range', contentRange(span, whole.sizeBytes + shiftBytes)),
  'other-etag': ({ span, part }) => withHeader(part(span), 'ETag', '"another-version"'),
  'no-content-range': ({ span, part }) => withHeader(part(span), 'Content-Range', undefined),
  multipart: ({ span, whole, part }) => multipart(part(span), span, whole.sizeBytes),
  short: ({ span, part }) => part({ from: span.from, to: span.from + Math.ceil((span.to - span.from) / 2) }),
  'too-long': ({ span, whole, part, shiftBytes }) => {
    const extra = partOf(whole, 0, Math.min(shiftBytes, whole.sizeBytes));
    return part(span, joined(partOf(whole, span.from, span.to), extra));
  },
  'other-type': ({ span, part }) => withHeader(part(span), 'Content-Type', 'text/html'),
  'other-encoding': ({ span, part }) => withHeader(part(span), 'Content-Encoding', 'gzip'),
  // The head is right in every field; the bytes are those of the beginning.
  'wrong-bytes': ({ span, whole, part }) => part(span, partOf(whole, 0, span.to - span.from)),
  empty: ({ span, part }) => part(span, emptySource),
};

function multipart(answer: Answer, span: Span, sizeBytes: number): Answer {
  const head = `--${boundary}\r\nContent-Range: ${contentRange(span, sizeBytes)}\r\n\r\n`;
  const body = joined(sourceOfText(head), answer.body, sourceOfText(`\r\n--${boundary}--\r\n`));
  const typed = withHeader({ ...answer, body }, 'Content-Type', `multipart/byteranges; boundary=${boundary}`);
  return withHeader(typed, 'Content-Range', undefined);
}
