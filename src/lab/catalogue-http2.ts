import { type CatalogueEntry, catalogueBytes, type Expectation, earlyCut, resource } from './catalogue-entry.ts';
import {
  type Fault,
  http2Codes,
  type OddFrame,
  type RequestRule,
  type ResourcePlan,
  type Scenario,
} from './scenario.ts';

const family = 'http2';
const half = catalogueBytes / 2;
const unframed: ResourcePlan = { ...resource, framing: 'close' };

interface Told {
  readonly description: string;
  readonly why: string;
  readonly expect?: Expectation;
}

/** An entry whose resource and rules are all that there is to say. */
function entry(
  name: string,
  requests: readonly RequestRule[],
  told: Told,
  more: Partial<Scenario> = {},
): CatalogueEntry {
  const { description, why, expect = 'heals' } = told;
  const scenario: Scenario = { name: `h2-${name}`, protocol: 'h2', resource, requests, ...more };
  return { family, needs: 'http2', scenario, description, expect, why };
}

const twice = (fault: Fault): readonly RequestRule[] => [{ on: [1, 2], do: fault }];

function reasonFor(code: string): Omit<Told, 'description'> {
  if (code === 'INADEQUATE_SECURITY') return { expect: 'either', why: 'A connection that is too weak may stay so.' };
  if (code !== 'NO_ERROR' && code !== 'CANCEL') {
    return { why: 'The cut is plain, and the next attempt goes on from there.' };
  }
  return { why: 'Some stacks report the end: content-length shows the cut.' };
}

/** RST_STREAM with every code in the body. */
const resets = http2Codes.map((code) =>
  entry(`rst-${wordsOf(code)}`, twice({ kind: 'rst-stream', code, atRandomByte: earlyCut }), {
    description: `Two streams are reset in their bodies with ${code}.`,
    ...reasonFor(code),
  }),
);

const unframedCuts = [
  ...(['NO_ERROR', 'CANCEL'] as const).map((code) =>
    entry(
      `unframed-rst-${wordsOf(code)}`,
      twice({ kind: 'rst-stream', code, atRandomByte: earlyCut }),
      {
        description: `Two bodies without content-length are reset with ${code}.`,
        expect: 'either',
        why: 'RFC 9113 8.1: without END_STREAM it was not the end; stacks that hide the frame leave it unverifiable.',
      },
      { resource: unframed },
    ),
  ),
  entry(
    'unframed-rst-internal-error',
    twice({ kind: 'rst-stream', code: 'INTERNAL_ERROR', atRandomByte: earlyCut }),
    {
      description: 'Two bodies without content-length are reset with INTERNAL_ERROR.',
      why: 'The code says that it was not the end.',
    },
    { resource: unframed },
  ),
  entry(
    'unframed-early-end',
    twice({ kind: 'end-stream', atRandomByte: earlyCut }),
    {
      description: 'Two bodies without content-length end too early by END_STREAM.',
      expect: 'either',
      why: 'Only an expected size or digest can notice it; without one the end must be called unverifiable.',
    },
    { resource: unframed },
  ),
  entry(
    'unframed-fin',
    twice({ kind: 'cut', by: 'fin', at: 'body', atRandomByte: earlyCut }),
    {
      description: 'Under two bodies without content-length the connection ends by FIN, without END_STREAM.',
      why: 'A stream without END_STREAM has not ended.',
      expect: 'either',
    },
    { resource: unframed },
  ),
];

const refusals = [
  entry('refused-stream', twice({ kind: 'rst-stream', code: 'REFUSED_STREAM', at: 'request' }), {
    description: 'Two streams are refused before their headers.',
    why: 'RFC 9113 8.7: the request was not processed, so that any method may be sent again.',
  }),
  entry('reset-before-headers', twice({ kind: 'rst-stream', code: 'INTERNAL_ERROR', at: 'request' }), {
    description: 'Two streams are reset with INTERNAL_ERROR before their headers.',
    why: 'A GET without an answer may be sent again.',
  }),
  entry('calm-down', twice({ kind: 'rst-stream', code: 'ENHANCE_YOUR_CALM', at: 'request' }), {
    description: 'Two streams are reset with ENHANCE_YOUR_CALM before their headers.',
    why: 'The server asks for patience, not for an end.',
  }),
  entry('http11-required', [{ on: 'every', do: { kind: 'rst-stream', code: 'HTTP_1_1_REQUIRED', at: 'request' } }], {
    description: 'Every stream is reset with HTTP_1_1_REQUIRED; over HTTP/1.1 all is well.',
    expect: 'either',
    why: 'A client that can falls back to HTTP/1.1; one that cannot must end by itself.',
  }),
  entry(
    'refused-above-two',
    [
      {
        on: 'every',
        where: { concurrentAbove: 2 },
        do: { kind: 'rst-stream', code: 'REFUSED_STREAM', at: 'request' },
      },
    ],
    { description: 'The third stream at the same time is refused.', why: 'Fewer at a time are served.' },
  ),
];

const goodbyes = [
  entry('goaway-unserved', twice({ kind: 'goaway', code: 'NO_ERROR', covers: 'earlier', at: 'request' }), {
    description: 'Two connections say GOAWAY with a last-stream-id below the request, and end.',
    why: 'What is above last-stream-id was not processed: send it again on another connection.',
  }),
  entry('goaway-calm', twice({ kind: 'goaway', code: 'ENHANCE_YOUR_CALM', covers: 'earlier', at: 'request' }), {
    description: 'Two connections say GOAWAY with ENHANCE_YOUR_CALM instead of an answer.',
    why: 'The server asks for patience, not for an end.',
  }),
  entry('goaway-graceful', [{ on: 'every', do: { kind: 'goaway', code: 'NO_ERROR', covers: 'this', atByte: half } }], {
    description: 'In the middle of every body the server says GOAWAY, and serves it to its end.',
    why: 'The stream is covered by last-stream-id: its answer is whole.',
  }),
  entry('goaway-drops', twice({ kind: 'goaway', code: 'NO_ERROR', covers: 'earlier', atRandomByte: earlyCut }), {
    description: 'In two bodies the server says GOAWAY with a last-stream-id below the stream, and ends.',
    why: 'Part of the body came all the same; the next attempt goes on from there.',
  }),
  entry(
    'goaway-then-fin',
    [
      {
        on: [1, 2],
        do: [
          { kind: 'goaway', code: 'INTERNAL_ERROR', covers: 'this', atRandomByte: earlyCut },
          { kind: 'cut', by: 'fin', at: 'body', atRandomByte: earlyCut },
        ],
      },
    ],
    {
      description: 'In two bodies the server says GOAWAY with INTERNAL_ERROR and ends the connection at once.',
      why: 'Content-Length shows the cut.',
    },
  ),
];

const odd = (which: OddFrame, description: string, why: string, expect: Expectation = 'heals') =>
  entry(`frame-${which}`, twice({ kind: 'odd-frame', which, atRandomByte: earlyCut }), { description, why, expect });

const oddFrames = [
  odd('unknown-type', 'Two bodies have a frame of an unknown type in them.', 'RFC 9113 5.5: it must be passed over.'),
  odd('data-on-stream-0', 'Two bodies have a DATA frame on stream 0 in them.', 'An error of that connection.'),
  odd('oversized', 'Two bodies have a frame above the size limit in them.', 'An error of that connection.'),
  odd('bad-headers', 'Two bodies have a header block in them that cannot be decoded.', 'An error of that connection.'),
  odd('window-overflow', 'Two bodies have a window in them that overflows.', 'An error of that connection.'),
  odd('junk', 'Two bodies have a page of HTTP/1.1 in their frames.', 'An error of that connection, or a stall.'),
];

/** The frames of HTTP/2 that end, refuse, or disturb an answer. */
export const http2: readonly CatalogueEntry[] = [
  entry('clean', [], { description: 'Nothing is wrong, over HTTP/2.', why: 'HTTP/2 alone is no fault.' }),
  ...resets,
  entry('early-end', twice({ kind: 'end-stream', atRandomByte: earlyCut }), {
    description: 'Two bodies end before their content-length by END_STREAM.',
    why: 'Content-Length shows the cut.',
  }),
  entry('length-too-long', [{ on: 1, do: { kind: 'wrong-length', byBytes: 1000 } }], {
    description: 'Content-Length promises 1000 bytes more than the file has, once.',
    expect: 'either',
    why: 'The bytes that came cannot be told from a cut file until another answer is seen.',
  }),
  ...unframedCuts,
  ...refusals,
  ...goodbyes,
  entry('rst', [{ on: 'every', do: { kind: 'cut', by: 'rst', at: 'body', atRandomByte: earlyCut } }], {
    description: 'Under every body the connection is reset after a small part of the file.',
    why: 'Every attempt makes progress that the strong ETag lets the next one keep.',
  }),
  entry('fin', [{ on: 'every', do: { kind: 'cut', by: 'fin', at: 'body', atRandomByte: earlyCut } }], {
    description: 'Under every body the connection ends by FIN inside of a frame.',
    why: 'Content-Length shows the cut, and so does the frame.',
  }),
  entry('fin-between-frames', twice({ kind: 'cut', by: 'fin', at: 'body', atRandomByte: earlyCut, chunk: 'between' }), {
    description: 'Under two bodies the connection ends by FIN between two frames.',
    why: 'Content-Length shows the cut.',
  }),
  entry('cut-in-headers', twice({ kind: 'cut', by: 'fin', at: 'headers' }), {
    description: 'Two connections end in the middle of a HEADERS frame.',
    why: 'Half a head promises nothing.',
  }),
  entry('stall', [{ on: [1, 2], do: { kind: 'stall', at: 'body', atRandomByte: earlyCut } }], {
    description: 'Two streams go silent in their bodies while the connection lives.',
    why: 'A stall is noticed by a timer, and every attempt has made progress.',
  }),
  entry('stall-before-headers', [{ on: 1, do: { kind: 'stall', at: 'request' } }], {
    description: 'The first request is read and never answered while the connection lives.',
    why: 'A timer for the headers finds out.',
  }),
  entry('503x2', twice({ kind: 'status', status: 503, retryAfter: '1' }), {
    description: 'Two answers are 503 with Retry-After: 1.',
    why: 'The server says itself when to come back.',
  }),
  entry(
    'lie-206',
    [
      { on: 1, do: { kind: 'rst-stream', code: 'INTERNAL_ERROR', atRandomByte: earlyCut } },
      { on: 1, where: { range: 'present' }, do: { kind: 'wrong-206', how: 'from-zero' } },
    ],
    {
      description: 'One reset stream; the resume gets a 206 that starts at byte 0.',
      why: 'Content-Range says where the bytes belong, and the next request is answered right.',
    },
  ),
  entry(
    'etag-change',
    [{ on: [1, 2, 3], do: { kind: 'rst-stream', code: 'INTERNAL_ERROR', atRandomByte: earlyCut } }],
    {
      description: 'Three reset streams, then the file is another one; If-Range is honoured.',
      expect: 'either',
      why: 'Who keeps the bytes starts again with the new version; a stream that has delivered some can only fail.',
    },
    { changes: [{ fromRequest: 4 }] },
  ),
  ...oddFrames,
];

function wordsOf(code: string): string {
  return code.toLowerCase().replaceAll('_', '-');
}
