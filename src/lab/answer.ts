import { type ByteSource, emptySource, partOf, sourceOfText } from './byte-source.ts';
import { type Selected, type Span, select } from './range-semantics.ts';
import { digestOf, type Representation, type Resource, type Version } from './representation.ts';
import type { RequestHead } from './request-reader.ts';
import type { Framing } from './scenario.ts';

export type Headers = readonly (readonly [name: string, value: string])[];

/** An answer before it is written: data, apart from the bytes that its source makes. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: ByteSource;
  readonly framing: Framing;
  /** The offset in the representation of the body's first byte. */
  readonly startsAt: number;
  /** What Content-Length says where it is not the body's size. */
  readonly declaredBytes?: number;
  /** The connection ends behind this answer, and its head says so. */
  readonly isLast: boolean;
  /** Bytes instead of a status line and all the rest. */
  readonly instead?: Buffer;
}

/** What an answer is made from. */
export interface AnswerContext {
  readonly head: RequestHead;
  readonly resource: Resource;
  readonly version: Version;
  readonly nowMs: number;
  /** Of the request's body, for the methods that change something. */
  readonly received: { readonly bytes: number; readonly sha256: string };
}

/** What a server without faults answers. */
export function correctAnswer(context: AnswerContext): Answer {
  const { head } = context;
  if (head.method === 'GET' || head.method === 'HEAD') return answerForSelection(context, selectFor(context));
  const { bytes, sha256 } = context.received;
  return plainAnswer(
    200,
    'application/json',
    sourceOfText(`${JSON.stringify({ method: head.method, bytes, sha256 })}\n`),
  );
}

/** The representation in the coding that the client gets. */
export function representationFor({ head, resource, version }: AnswerContext): Representation {
  if (resource.encoding === 'gzip-always') return version.gzip();
  const accepts = /(^|[,\s])(gzip|\*)(?!\s*;\s*q=0(\.0*)?\s*(,|$))/i.test(head.headers['accept-encoding'] ?? '');
  return resource.encoding === 'gzip' && accepts ? version.gzip() : version.identity;
}

/** What the request asks for, by the resource's own rules. */
export function selectFor(context: AnswerContext): Selected {
  const representation = representationFor(context);
  const { range: _range, ...withoutRange } = context.head.headers;
  const headers = context.resource.ranges === 'honoured' ? context.head.headers : withoutRange;
  return select(context.head.method, headers, representation, representation.source.sizeBytes);
}

export function answerForSelection(context: AnswerContext, selected: Selected): Answer {
  switch (selected.kind) {
    case 'whole':
      return resourceAnswer(context, 200);
    case 'part':
      return resourceAnswer(context, 206, selected.span);
    case 'not-satisfiable':
      return notSatisfiable(representationFor(context).source.sizeBytes);
    case 'not-modified':
      return { ...plainAnswer(304, undefined, emptySource), headers: validatorHeaders(representationFor(context)) };
    case 'precondition-failed':
      return plainAnswer(412, 'text/plain', sourceOfText('precondition failed\n'));
  }
}

/** The resource, or the part `span` of it. */
export function resourceAnswer(context: AnswerContext, status: number, span?: Span): Answer {
  const { resource } = context;
  const representation = representationFor(context);
  const { source } = representation;
  const { from, to } = span ?? { from: 0, to: source.sizeBytes };
  const body = span === undefined ? source : partOf(source, from, to);
  return {
    status,
    headers: [
      ['Content-Type', resource.contentType],
      ...rangeHeaders(resource, source.sizeBytes, span),
      ...validatorHeaders(representation),
      ...codingHeaders(resource, representation),
      ...digestHeaders(resource, representation, body),
      ...Object.entries(resource.headers),
    ],
    body,
    framing: resource.framing,
    startsAt: from,
    isLast: false,
  };
}

export function plainAnswer(status: number, contentType: string | undefined, body: ByteSource): Answer {
  const headers: Headers = contentType === undefined ? [] : [['Content-Type', contentType]];
  return { status, headers, body, framing: 'length', startsAt: 0, isLast: false };
}

export function notSatisfiable(sizeBytes: number): Answer {
  const answer = plainAnswer(416, 'text/plain', sourceOfText('range not satisfiable\n'));
  return withHeader(answer, 'Content-Range', `bytes */${sizeBytes}`);
}

/** The answer with a header set to one value, or without it. */
export function withHeader(answer: Answer, name: string, value: string | undefined): Answer {
  const kept = answer.headers.filter(([other]) => other.toLowerCase() !== name.toLowerCase());
  return { ...answer, headers: value === undefined ? kept : [...kept, [name, value]] };
}

export function contentRange({ from, to }: Span, sizeBytes: number): string {
  return `bytes ${from}-${to - 1}/${sizeBytes}`;
}

function rangeHeaders(resource: Resource, sizeBytes: number, span: Span | undefined): Headers {
  if (resource.ranges === 'refused') return [['Accept-Ranges', 'none']];
  const headers: Headers = [['Accept-Ranges', 'bytes']];
  return span === undefined ? headers : [...headers, ['Content-Range', contentRange(span, sizeBytes)]];
}

function validatorHeaders({ etag, lastModifiedMs }: Representation): Headers {
  const headers: [string, string][] = [];
  if (etag !== undefined) headers.push(['ETag', etag]);
  if (lastModifiedMs !== undefined) headers.push(['Last-Modified', new Date(lastModifiedMs).toUTCString()]);
  return headers;
}

function codingHeaders(resource: Resource, representation: Representation): Headers {
  if (resource.encoding === 'identity') return [];
  const vary: Headers = resource.encoding === 'gzip' ? [['Vary', 'Accept-Encoding']] : [];
  return representation.encoding === 'gzip' ? [...vary, ['Content-Encoding', 'gzip']] : vary;
}

function digestHeaders(resource: Resource, representation: Representation, body: ByteSource): Headers {
  switch (resource.digest) {
    case 'none':
      return [];
    case 'repr-digest':
      return [['Repr-Digest', `sha-256=:${representation.sha256().toString('base64')}:`]];
    case 'content-digest':
      return [['Content-Digest', `sha-256=:${digestOf(body).toString('base64')}:`]];
    case 'digest':
      return [['Digest', `SHA-256=${representation.sha256().toString('base64')}`]];
  }
}
