import type { Expectation } from './catalogue-entry.ts';
import { type CatalogueEntry, catalogueBytes, earlyCut, resource } from './catalogue-entry.ts';
import type { Fault, RequestRule, StatusFault, Wrong206 } from './scenario.ts';

const cutOnce: RequestRule = { on: 1, do: { kind: 'cut', by: 'rst', at: 'body', atRandomByte: earlyCut } };
const firstResume = (fault: Fault): readonly RequestRule[] => [
  cutOnce,
  { on: 1, where: { range: 'present' }, do: fault },
];

const pushbacks: readonly (readonly [name: string, fault: Omit<StatusFault, 'kind'>, description: string])[] = [
  ['503-once', { status: 503 }, 'One answer is 503 without Retry-After.'],
  ['500-once', { status: 500 }, 'One answer is 500.'],
  [
    '502-once',
    { status: 502, contentType: 'text/html', bodyText: '<h1>502 Bad Gateway</h1>\n' },
    'One answer is a 502 page.',
  ],
  ['504-once', { status: 504 }, 'One answer is 504.'],
  ['408-once', { status: 408, headers: { Connection: 'close' } }, 'One answer is 408.'],
  [
    '503-retry-date',
    { status: 503, retryAfterDateInMs: 1000 },
    'One answer is 503 with Retry-After as a date a second away.',
  ],
  [
    '503-retry-past',
    { status: 503, retryAfterDateInMs: -60_000 },
    'One answer is 503 with Retry-After as a date a minute ago.',
  ],
  ['503-retry-garbage', { status: 503, retryAfter: 'soon' }, 'One answer is 503 with Retry-After: soon.'],
  ['429-retry-zero', { status: 429, retryAfter: '0' }, 'One answer is 429 with Retry-After: 0.'],
  ['429-retry-negative', { status: 429, retryAfter: '-5' }, 'One answer is 429 with Retry-After: -5.'],
  ['503-retry-fraction', { status: 503, retryAfter: '0.5' }, 'One answer is 503 with Retry-After: 0.5.'],
  [
    '429-retry-after-ms',
    { status: 429, headers: { 'Retry-After-Ms': '200' } },
    'One answer is 429 with Retry-After-Ms: 200.',
  ],
  [
    '429-ratelimit',
    { status: 429, headers: { RateLimit: '"default";r=0;t=1' } },
    'One answer is 429 with RateLimit: "default";r=0;t=1.',
  ],
  [
    '429-ratelimit-reset',
    { status: 429, headers: { 'X-RateLimit-Remaining': '0', 'X-RateLimit-Reset': '1' } },
    'One answer is 429 with X-RateLimit-Reset: 1.',
  ],
  [
    '503-large-page',
    { status: 503, contentType: 'text/html', bodyBytes: 60_000_000 },
    'One answer is a 503 page of 60 MB.',
  ],
];

const healedPushbacks = pushbacks.map(
  ([name, fault, description]): CatalogueEntry => ({
    family: 'status',
    scenario: { name, resource, requests: [{ on: 1, do: { kind: 'status', ...fault } }] },
    description,
    expect: 'heals',
    why: 'The status says that the trouble passes.',
  }),
);

const refusals: readonly (readonly [
  name: string,
  fault: Omit<StatusFault, 'kind'>,
  description: string,
  why: string,
])[] = [
  ['404', { status: 404 }, 'Every answer is 404.', 'A permanent refusal is not asked for again.'],
  ['403', { status: 403 }, 'Every answer is 403.', 'A permanent refusal is not asked for again.'],
  [
    '401',
    { status: 401, headers: { 'WWW-Authenticate': 'Basic realm="lab"' } },
    'Every answer is 401.',
    'Without credentials it stays so.',
  ],
  ['501', { status: 501 }, 'Every answer is 501.', 'The server will not learn it meanwhile.'],
  ['503-for-ever', { status: 503 }, 'Every answer is 503.', 'A client must end by itself.'],
  [
    '503-retry-huge',
    { status: 503, retryAfter: '31536000' },
    'Every answer is 503 with Retry-After of a year.',
    'Too long to wait: say when to come back.',
  ],
];

const keptRefusals = refusals.map(
  ([name, fault, description, why]): CatalogueEntry => ({
    family: 'status',
    scenario: { name: `status-${name}`, resource, requests: [{ on: 'every', do: { kind: 'status', ...fault } }] },
    description,
    expect: 'fails',
    why,
  }),
);

const oddities: readonly (readonly [how: Wrong206, description: string, why: string, expect?: Expectation])[] = [
  [
    'earlier',
    'the resume gets a 206 that starts 4096 bytes too early',
    'The surplus can be left out, or the answer refused.',
  ],
  [
    'later',
    'the resume gets a 206 that starts 4096 bytes too late',
    'The gap is in Content-Range; the next answer is right.',
  ],
  [
    'other-total',
    'the resume gets a 206 with another total',
    'Another total is another version, and the next answer is right.',
    'either',
  ],
  [
    'other-etag',
    'the resume gets a 206 with another ETag',
    'Another ETag is another version, and the next answer is right.',
    'either',
  ],
  [
    'no-content-range',
    'the resume gets a 206 without Content-Range',
    'Nobody knows where its bytes belong; the next answer is right.',
  ],
  ['multipart', 'the resume gets a multipart/byteranges', 'The boundary is not a part of the file.'],
  [
    'short',
    'the resume gets a shorter range than it asked for, ended cleanly',
    'RFC 9110 15.3.7 allows it; what is missing is asked for again.',
  ],
  [
    'too-long',
    'the resume gets more bytes than its Content-Range says',
    'Bytes behind the range are not a part of the file.',
  ],
  ['other-type', 'the resume gets a 206 of text/html', 'Middleboxes answer so; the next answer is right.'],
  [
    'other-encoding',
    'the resume gets a 206 with Content-Encoding: gzip',
    'Offsets of another coding are other offsets.',
  ],
  ['empty', 'the resume gets a 206 with an empty body', 'Nothing was gained, and the next answer is right.'],
  ['wrong-bytes', 'the resume gets a 206 that is right in all but its bytes', 'Only a digest can notice it.', 'either'],
];

const wrong206s = oddities.map(
  ([how, description, why, expect = 'heals']): CatalogueEntry => ({
    family: 'resume',
    scenario: { name: `206-${how}`, resource, requests: firstResume({ kind: 'wrong-206', how }) },
    description: `One reset; ${description}.`,
    expect,
    why,
  }),
);

/** Answers that are refusals, wrong, or about another version. */
export const answers: readonly CatalogueEntry[] = [
  ...healedPushbacks,
  ...keptRefusals,
  {
    family: 'status',
    scenario: {
      name: '429-above-two',
      resource,
      requests: [{ on: 'every', where: { concurrentAbove: 2 }, do: { kind: 'status', status: 429, retryAfter: '1' } }],
    },
    description: 'The third request at the same time is answered 429.',
    expect: 'heals',
    why: 'Fewer at a time are served.',
  },
  {
    family: 'status',
    scenario: {
      name: '503-above-two',
      resource,
      requests: [{ on: 'every', where: { concurrentAbove: 2 }, do: { kind: 'status', status: 503 } }],
    },
    description: 'The third request at the same time is answered 503 without Retry-After.',
    expect: 'heals',
    why: 'Fewer at a time are served.',
  },
  {
    family: 'status',
    scenario: {
      name: 'burst',
      resource,
      requests: [
        { on: [1, 4], do: { kind: 'status', status: 429, retryAfter: '0' } },
        { on: 2, do: { kind: 'status', status: 503 } },
        { on: 3, do: { kind: 'status', status: 502, contentType: 'text/html', bodyText: '<h1>502</h1>\n' } },
        { on: 5, do: { kind: 'cut', by: 'rst', at: 'request' } },
      ],
    },
    description: 'Five troubles in a row: 429, 503, 502, 429 and a reset.',
    expect: 'heals',
    why: 'A server that restarts behind a proxy looks so for a while.',
  },
  {
    family: 'status',
    scenario: { name: 'captive-portal', resource, requests: [{ on: 1, do: { kind: 'captive-portal' } }] },
    description: 'The first answer is the 200 page of a captive portal.',
    expect: 'either',
    why: 'Only an expected type, size or digest can notice it; then the second answer is right.',
  },
  ...wrong206s,
  {
    family: 'resume',
    scenario: { name: '200-with-content-range', resource, requests: firstResume({ kind: '200-with-content-range' }) },
    description: 'One reset; the resume gets a 200 that carries only the part.',
    expect: 'either',
    why: 'Joined as the part that it is, or refused: taken for the whole file it would be a lie.',
  },
  {
    family: 'resume',
    scenario: { name: '416-on-resume', resource, requests: firstResume({ kind: '416' }) },
    description: 'One reset; the resume is answered 416 although the range exists.',
    expect: 'heals',
    why: 'The total in Content-Range says that the file is not complete; the next answer is right.',
  },
  {
    family: 'resume',
    scenario: { name: '416-without-total', resource, requests: firstResume({ kind: '416', contentRange: 'absent' }) },
    description: 'One reset; the resume is answered 416 without Content-Range.',
    expect: 'heals',
    why: 'A 416 is not completion.',
  },
  {
    family: 'resume',
    scenario: {
      name: '416-when-complete',
      resource: { ...resource, framing: 'close' },
      requests: [{ on: 1, do: { kind: 'cut', by: 'rst', at: 'end' } }],
    },
    description: 'A body without any length is reset behind its last byte: a resume from there is answered 416.',
    expect: 'heals',
    why: 'A 416 whose total is what was read says that all of it was there.',
  },
  {
    family: 'resume',
    scenario: { name: '412-on-resume', resource, requests: firstResume({ kind: '412' }) },
    description: 'One reset; the resume is answered 412.',
    expect: 'either',
    why: 'It may be a changed file: start again, or fail.',
  },
  {
    family: 'resume',
    scenario: { name: '404-on-resume', resource, requests: firstResume({ kind: 'status', status: 404 }) },
    description: 'One reset; the resume is answered 404, as by caches with a stale offset.',
    expect: 'either',
    why: 'A failed attempt, or a permanent refusal; its body is never a part of the file.',
  },
  {
    family: 'resume',
    scenario: {
      name: 'range-refused-later',
      resource,
      requests: [cutOnce, { on: 'resumes', do: { kind: 'range-ignored' } }],
    },
    description: 'One reset; from then on ranges are answered by the whole file.',
    expect: 'heals',
    why: 'The same ETag proves that the beginning is what was delivered.',
  },
  {
    family: 'change',
    scenario: {
      name: 'weak-change',
      resource: { ...resource, validator: 'weak' },
      changes: [{ fromRequest: 2 }],
      requests: [cutOnce],
    },
    description: 'One reset, then another version; the ETag is weak.',
    expect: 'either',
    why: 'A weak validator never joins bytes.',
  },
  {
    family: 'change',
    scenario: {
      name: 'last-modified-change',
      resource: { ...resource, validator: 'last-modified' },
      changes: [{ fromRequest: 2 }],
      requests: [cutOnce],
    },
    description: 'One reset, then another version; Last-Modified is old enough to be strong.',
    expect: 'either',
    why: 'If-Range with the date shows the change.',
  },
  {
    family: 'change',
    scenario: {
      name: 'fresh-change',
      resource: { ...resource, validator: 'last-modified-weak' },
      changes: [{ fromRequest: 2 }],
      requests: [cutOnce],
    },
    description: 'One reset, then another version; Last-Modified is only seconds old.',
    expect: 'either',
    why: 'RFC 9110 8.8.2.2: such a date never joins bytes.',
  },
  {
    family: 'change',
    scenario: {
      name: 'change-under-same-etag',
      resource,
      changes: [{ fromRequest: 2, validator: 'same' }],
      requests: [cutOnce],
    },
    description: 'One reset, then another version under the same strong ETag.',
    expect: 'either',
    why: 'The server lies about identity; only a digest can notice it.',
  },
  {
    family: 'change',
    scenario: {
      name: 'change-behind-overlap',
      resource: { ...resource, validator: 'none' },
      changes: [{ fromRequest: 2, keeps: { from: 0, to: catalogueBytes / 8 } }],
      requests: [cutOnce],
    },
    description: 'One reset, then a version that has the same beginning, without any validator.',
    expect: 'either',
    why: 'An overlap of equal bytes proves nothing about the rest; such a join is unverifiable.',
  },
  {
    family: 'truncation',
    scenario: { name: 'length-too-long', resource, requests: [{ on: 1, do: { kind: 'wrong-length', byBytes: 1000 } }] },
    description: 'Content-Length promises 1000 bytes more than the file has, once.',
    expect: 'either',
    why: 'The bytes that came cannot be told from a cut file until another answer is seen.',
  },
  {
    family: 'truncation',
    scenario: {
      name: 'length-too-short',
      resource,
      requests: [{ on: 1, do: { kind: 'wrong-length', byBytes: -1000 } }],
    },
    description: 'Content-Length promises 1000 bytes fewer than are sent, once.',
    expect: 'either',
    why: 'HTTP ends the body at its length; only the junk behind it, or a digest, can notice.',
  },
  {
    family: 'truncation',
    scenario: {
      name: 'chunk-garbage',
      resource: { ...resource, framing: 'chunked' },
      requests: [{ on: 1, do: { kind: 'bad-chunk', atRandomByte: earlyCut } }],
    },
    description: 'A chunk size is not a number, once.',
    expect: 'heals',
    why: 'Broken framing is trouble of that connection.',
  },
  {
    family: 'truncation',
    scenario: { name: 'not-http', resource, requests: [{ on: 1, do: { kind: 'not-http' } }] },
    description: 'The first answer is not HTTP at all.',
    expect: 'either',
    why: 'It may be a wrong port (fail) or a broken hop (try again).',
  },
  {
    family: 'corruption',
    scenario: {
      name: 'gzip-truncated',
      resource: { ...resource, encoding: 'gzip' },
      requests: [{ on: 1, do: { kind: 'gzip-damage', how: 'truncated' } }],
    },
    description:
      'For clients that accept gzip, the first body ends in the middle of the coding with the right framing.',
    expect: 'heals',
    why: 'The coding has no end, whatever the framing says; identity is served whole.',
  },
  {
    family: 'corruption',
    scenario: {
      name: 'gzip-flipped',
      resource: { ...resource, encoding: 'gzip' },
      requests: [{ on: 1, do: { kind: 'gzip-damage', how: 'flipped' } }],
    },
    description: 'For clients that accept gzip, one byte of the first body is damaged.',
    expect: 'heals',
    why: 'The coding has a checksum.',
  },
  {
    family: 'corruption',
    scenario: {
      name: 'gzip-without-trailer',
      resource: { ...resource, encoding: 'gzip' },
      requests: [{ on: 1, do: { kind: 'gzip-damage', how: 'trailer' } }],
    },
    description: 'For clients that accept gzip, the checksum of the first body is missing.',
    expect: 'heals',
    why: 'Without its trailer the coding has no end.',
  },
  {
    family: 'corruption',
    scenario: {
      name: 'flipped-bytes',
      resource: { ...resource, digest: 'repr-digest' },
      requests: [{ on: 1, do: { kind: 'corrupt', bytes: 16, atRandomByte: earlyCut } }],
    },
    description: 'Sixteen bytes of the first body are damaged; Repr-Digest tells.',
    expect: 'either',
    why: 'A client that looks at the digest fetches again, or fails.',
  },
  {
    family: 'redirect',
    scenario: {
      name: 'redirect',
      resource,
      requests: [
        { on: 'every', where: { file: 'file.bin' }, do: { kind: 'redirect', status: 302, to: 'elsewhere.bin' } },
        { on: 1, where: { file: 'elsewhere.bin' }, do: { kind: 'cut', by: 'rst', at: 'body', atRandomByte: earlyCut } },
      ],
    },
    description: 'The file is elsewhere, and the first body there is reset.',
    expect: 'heals',
    why: 'A redirect is part of an attempt.',
  },
  {
    family: 'redirect',
    scenario: {
      name: 'redirect-expires',
      resource,
      requests: [
        {
          on: 'every',
          where: { file: 'file.bin' },
          do: { kind: 'redirect', status: 307, to: 'signed', validForRequests: 1 },
        },
        {
          on: [1, 2],
          where: { file: 'signed.bin' },
          do: { kind: 'cut', by: 'rst', at: 'body', atRandomByte: earlyCut },
        },
      ],
    },
    description: 'The file is behind a signed URL that serves one request and then answers 403; two bodies are reset.',
    expect: 'heals',
    why: 'A resume starts from the original URL and gets a fresh signature.',
  },
  {
    family: 'redirect',
    scenario: {
      name: 'redirect-to-other-origin',
      resource,
      requests: [
        { on: 'every', where: { file: 'file.bin' }, do: { kind: 'redirect', status: 302, to: 'other-origin' } },
        {
          on: [1, 2],
          where: { file: 'elsewhere.bin' },
          do: { kind: 'cut', by: 'rst', at: 'body', atRandomByte: earlyCut },
        },
      ],
    },
    description: 'The file is at another origin, and two bodies there are reset.',
    expect: 'heals',
    why: 'A redirect is part of an attempt, wherever it leads; credentials stay behind.',
  },
  {
    family: 'redirect',
    scenario: {
      name: 'redirect-loop',
      resource,
      requests: [{ on: 'every', do: { kind: 'redirect', status: 302, to: 'self' } }],
    },
    description: 'Every answer redirects to itself.',
    expect: 'fails',
    why: 'Following must have a limit.',
  },
];
