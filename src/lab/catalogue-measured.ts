import { type CatalogueEntry, catalogueBytes, earlyCut, resource } from './catalogue-entry.ts';
import type { Fault, RequestRule } from './scenario.ts';

const family = 'measured';
const firstThree = [1, 2, 3];
const page = '<!doctype html><html><body><h1>503 Service Unavailable</h1></body></html>\n';

const cutEarly: Fault = { kind: 'cut', by: 'rst', at: 'body', atRandomByte: earlyCut };
const firstThreeCut: readonly RequestRule[] = [{ on: firstThree, do: cutEarly }];

/** The eighteen modes in which 33 clients were measured. */
export const measured: readonly CatalogueEntry[] = [
  {
    family,
    scenario: { name: 'clean', resource },
    description: 'Nothing is wrong.',
    expect: 'heals',
    why: 'A client that disturbs a healthy download heals nothing.',
  },
  {
    family,
    scenario: { name: 'refused2s', resource, refuses: { forMs: 2000 } },
    description: 'Nothing listens for two seconds.',
    expect: 'heals',
    why: 'A server that restarts is back within seconds.',
  },
  {
    family,
    scenario: {
      name: '503x2',
      resource,
      requests: [{ on: [1, 2], do: { kind: 'status', status: 503, retryAfter: '1' } }],
    },
    description: 'Two answers are 503 with Retry-After: 1.',
    expect: 'heals',
    why: 'The server says itself when to come back.',
  },
  {
    family,
    scenario: {
      name: '429x2',
      resource,
      requests: [{ on: [1, 2], do: { kind: 'status', status: 429, retryAfter: '1' } }],
    },
    description: 'Two answers are 429 with Retry-After: 1.',
    expect: 'heals',
    why: 'The server says itself when to come back.',
  },
  {
    family,
    scenario: {
      name: 'empty-reply',
      resource,
      requests: [{ on: [1, 2], do: { kind: 'cut', by: 'fin', at: 'request' } }],
    },
    description: 'Two requests are answered by FIN with zero bytes.',
    expect: 'heals',
    why: 'A GET without an answer may be sent again.',
  },
  {
    family,
    scenario: { name: 'rst', resource, requests: [{ on: 'every', do: cutEarly }] },
    description: 'Every response is reset after a small part of the file.',
    expect: 'heals',
    why: 'Every attempt makes progress that the strong ETag lets the next one keep.',
  },
  {
    family,
    scenario: { name: 'fin', resource, requests: [{ on: 'every', do: { ...cutEarly, by: 'fin' } }] },
    description: 'Every response is ended by FIN after a small part of the file.',
    expect: 'heals',
    why: 'Content-Length shows the cut, and the next attempt goes on from there.',
  },
  {
    family,
    scenario: {
      name: 'fin-close',
      resource,
      requests: [{ on: 'every', do: { ...cutEarly, by: 'fin', connection: 'close' } }],
    },
    description: 'The same with Connection: close on every response.',
    expect: 'heals',
    why: 'One response header must not change whether a cut is a cut.',
  },
  {
    family,
    scenario: {
      name: 'stall',
      resource,
      requests: [{ on: 'every', do: { kind: 'stall', at: 'body', atRandomByte: earlyCut } }],
    },
    description: 'Every response goes silent after a small part of the file.',
    expect: 'heals',
    why: 'A stall is noticed by a timer, and every attempt has made progress.',
  },
  {
    family,
    scenario: {
      name: 'rst-503',
      resource,
      requests: [
        { on: 1, do: { kind: 'cut', by: 'rst', at: 'body', atByte: (catalogueBytes / 64) * 5 } },
        { on: 2, do: { kind: 'status', status: 503, contentType: 'text/html', bodyText: page } },
      ],
    },
    description: 'One reset in the body; the resume is answered 503 with an HTML page.',
    expect: 'heals',
    why: 'The page is not a part of the file.',
  },
  {
    family,
    scenario: {
      name: 'norange',
      resource: { ...resource, ranges: 'refused' },
      requests: [{ on: { to: 5 }, do: cutEarly }],
    },
    description: 'Ranges are refused, five responses are reset, the sixth is whole.',
    expect: 'heals',
    why: 'The file can be read from the start again; what was delivered already is skipped.',
  },
  {
    family,
    scenario: {
      name: 'chunked-fin',
      resource: { ...resource, framing: 'chunked' },
      requests: [{ on: firstThree, do: { ...cutEarly, by: 'fin' } }],
    },
    description: 'Three chunked bodies are cut in the middle of a chunk.',
    expect: 'heals',
    why: 'The missing last chunk shows the cut.',
  },
  {
    family,
    scenario: {
      name: 'etag-change',
      resource,
      changes: [{ fromRequest: 4 }],
      requests: firstThreeCut,
    },
    description: 'Three resets, then the file is another one; If-Range is honoured.',
    expect: 'either',
    why: 'Who keeps the bytes starts again with the new version; a stream that has delivered some can only fail.',
  },
  {
    family,
    scenario: {
      name: 'etag-noifrange',
      resource,
      changes: [{ fromRequest: 4 }],
      requests: [...firstThreeCut, { on: 'resumes', do: { kind: 'if-range-ignored' } }],
    },
    description: 'Three resets, then a 206 of another version although If-Range asked for the old one.',
    expect: 'either',
    why: 'The ETag of the 206 shows that its bytes must not be joined.',
  },
  {
    family,
    scenario: {
      name: 'noval-change',
      resource: { ...resource, validator: 'none' },
      changes: [{ fromRequest: 4 }],
      requests: firstThreeCut,
    },
    description: 'Three resets, then another version, without any validator.',
    expect: 'either',
    why: 'Without a validator bytes may be joined only after comparing an overlap.',
  },
  {
    family,
    scenario: {
      name: 'lie-206',
      resource,
      requests: [
        { on: 1, do: cutEarly },
        { on: 1, where: { range: 'present' }, do: { kind: 'wrong-206', how: 'from-zero' } },
      ],
    },
    description: 'One reset; the resume gets a 206 that starts at byte 0.',
    expect: 'heals',
    why: 'Content-Range says where the bytes belong, and the next request is answered right.',
  },
  {
    family,
    scenario: { name: 'empty-200', resource, requests: [{ on: 1, do: { kind: 'empty-200' } }] },
    description: 'The first answer is a whole 200 with no body.',
    expect: 'either',
    why: 'Only an expected size or digest, or the suspicion of an empty file, can notice it; then the second answer is right.',
  },
  {
    family,
    scenario: {
      name: 'close-fin',
      resource: { ...resource, framing: 'close', validator: 'none' },
      requests: [{ on: firstThree, do: { ...cutEarly, by: 'fin' } }],
    },
    description: 'No length at all, and FIN in the middle of three bodies.',
    expect: 'either',
    why: 'Only an expected size, a digest, or a question for what follows can notice it; else the end is unverifiable.',
  },
];
