/** What a request is to its origin: decided by the preset from path and method alone, obeyed by the mirror. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Checksum } from '../download/index.ts';
import type { Refusal } from '../gateway/index.ts';
import type { HeaderRecord } from './head.ts';
import type { NamedFile } from './links.ts';

export interface Ask {
  readonly method: string;
  /** Below the origin's prefix; begins with a slash. */
  readonly path: string;
  /** Without the question mark. */
  readonly query: string;
  readonly headers: IncomingHttpHeaders;
}

/** Where a content comes from: a path at any of the origin's upstreams, or an address that an index named. */
export type Place = { readonly kind: 'path'; readonly path: string } | { readonly kind: 'url'; readonly url: string };

export interface Document {
  readonly bytes: Buffer;
  readonly contentType: string;
  /** Where it came from: relative links begin there. */
  readonly url: string;
}

export interface Rewritten {
  readonly bytes: Buffer;
  readonly contentType: string;
}

export type Rewrite = (document: Document, base: string, origin: OriginView) => Rewritten;

export interface ContentPlan {
  /** An index is whole in memory, and rewritten for whoever asks; an artifact passes as it is. */
  readonly role: 'index' | 'artifact';
  readonly place: Place;
  /** What upstreams are asked for: the same for everybody, so that one answer serves all. */
  readonly fields: Readonly<Record<string, string>>;
  /** Tells contents of the same place apart. */
  readonly variant: string;
  readonly digest: (() => Promise<Checksum | undefined>) | undefined;
  readonly rewrite: Rewrite | undefined;
  /** Other addresses of the same file, by its digest; looked up only when its own fails. */
  readonly elsewhere?: () => Promise<readonly string[]>;
}

export type Plan =
  | { readonly kind: 'content'; readonly content: ContentPlan }
  /** As it is, to one of the upstreams, and the answer back. */
  | { readonly kind: 'pass' }
  /** The whole answer is awaited before its head is told, up to a bound; it may be asked for again until then. */
  | { readonly kind: 'held' }
  /** Head only: what the preset has asked for itself. */
  | { readonly kind: 'answer'; readonly status: number; readonly headers: HeaderRecord }
  | { readonly kind: 'refuse'; readonly refusal: Refusal };

/** What presets see of the origin that they serve. */
export interface OriginView {
  readonly name: string;
  readonly prefix: string;
  /** What the preset keeps in mind of this origin. */
  readonly memory: Map<string, unknown>;
  /** Upstreams without a slash at the end. */
  readonly roots: readonly string[];
  /** A document of this origin, whole and as the upstream has it. */
  load(content: ContentPlan): Promise<Document | undefined>;
  /** What each upstream that answers has there, without the cache. */
  loadEach(content: ContentPlan): Promise<readonly Document[]>;
  /** What upstreams say of a path, redirects not followed. */
  head(
    path: string,
    fields: Readonly<Record<string, string>>,
  ): Promise<{ readonly status: number; readonly headers: HeaderRecord }>;
  /** @param base where the client sees this origin, without a slash at the end */
  link(base: string, file: NamedFile): string;
  readLink(path: string): NamedFile | undefined;
}

/** A kind of origin. */
export interface Preset {
  /** Where upstreams stand when none is given; undefined: one must be given. */
  readonly publicUpstream: string | undefined;
  /** Between the origin's prefix and what is the upstream's own; empty, or begins with a slash. */
  readonly mount: string;
  /** @param base without a slash at the end. @returns what a tool is pointed at */
  toolUrl(base: string): string;
  plan(ask: Ask, origin: OriginView): Plan | Promise<Plan>;
  /** How to point tools there. */
  hints(url: string, upstream: string): readonly string[];
}
