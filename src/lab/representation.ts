import { createHash } from 'node:crypto';
import { constants, gzipSync } from 'node:zlib';
import { type ByteSource, patched, sourceOfBytes, verbatimSource } from './byte-source.ts';
import type { Change, ResourcePlan, Scenario, ValidatorKind } from './scenario.ts';
import { mixAll } from './seeded.ts';
import type { BodyMaker } from './seeded-bytes.ts';

/** A resource plan with every default filled in. */
export interface Resource {
  readonly sizeBytes: number;
  readonly contentType: string;
  readonly validator: ValidatorKind;
  readonly framing: 'length' | 'chunked' | 'close';
  readonly ranges: 'honoured' | 'ignored' | 'refused';
  readonly encoding: 'identity' | 'gzip' | 'gzip-always';
  readonly digest: 'none' | 'repr-digest' | 'content-digest' | 'digest';
  readonly headers: Readonly<Record<string, string>>;
  readonly bodyText?: string;
  readonly bodyBase64?: string;
}

export const defaultResource: Resource = {
  sizeBytes: 1_048_576,
  contentType: 'application/octet-stream',
  validator: 'strong',
  framing: 'length',
  ranges: 'honoured',
  encoding: 'identity',
  digest: 'none',
  headers: {},
};

/** What is sent in one content coding: bytes and how they are told apart from other versions. */
export interface Representation {
  readonly source: ByteSource;
  readonly encoding: 'identity' | 'gzip';
  readonly etag?: string;
  readonly lastModifiedMs?: number;
  sha256(): Buffer;
}

/** One version of the resource over the life of a run. */
export interface Version {
  readonly index: number;
  readonly fromRequest: number;
  readonly identity: Representation;
  /** The same content in gzip; made on first use. */
  gzip(): Representation;
}

export function resolveResource(plan: ResourcePlan = {}): Resource {
  const resource = { ...defaultResource, ...plan };
  const verbatim = verbatimSource(plan);
  return verbatim === undefined ? resource : { ...resource, sizeBytes: verbatim.sizeBytes };
}

/** All versions of a scenario's resource, oldest first. `nowMs` places a weak Last-Modified beside the Date header. */
export function versionsOf(scenario: Scenario, seed: number, nowMs: number, bodyOf: BodyMaker): readonly Version[] {
  const resource = resolveResource(scenario.resource);
  const first = firstContent(resource, seed, bodyOf);
  const contents = [first];
  for (const [index, change] of (scenario.changes ?? []).entries()) {
    contents.push(nextContent(contents[index]!, change, seed + index + 1, bodyOf));
  }
  return contents.map((content, index) => createVersion(content, index, resource, nowMs));
}

/** The version that request `requestNumber` (1-based) meets. */
export function versionAt(versions: readonly Version[], requestNumber: number): Version {
  return versions.findLast((version) => version.fromRequest <= requestNumber) ?? versions[0]!;
}

interface Content {
  readonly source: ByteSource;
  readonly fromRequest: number;
  /** Equal tags make equal validators: a change under the same validator keeps the tag. */
  readonly tag: string;
  readonly tagIndex: number;
}

function firstContent(resource: Resource, seed: number, bodyOf: BodyMaker): Content {
  const source = verbatimSource(resource) ?? bodyOf(seed, resource.sizeBytes);
  return { source, fromRequest: 1, tag: tagOf(seed, source.sizeBytes), tagIndex: 0 };
}

function nextContent(before: Content, change: Change, defaultSeed: number, bodyOf: BodyMaker): Content {
  const seed = change.seed ?? defaultSeed;
  const fresh = verbatimSource(change) ?? bodyOf(seed, change.sizeBytes ?? before.source.sizeBytes);
  const { from, to } = change.keeps ?? { from: 0, to: 0 };
  const source = from < to ? patched(fresh, before.source, from, to) : fresh;
  if (change.validator === 'same') return { ...before, source, fromRequest: change.fromRequest };
  return {
    source,
    fromRequest: change.fromRequest,
    tag: tagOf(seed, source.sizeBytes),
    tagIndex: before.tagIndex + 1,
  };
}

function tagOf(seed: number, sizeBytes: number): string {
  return mixAll(seed, sizeBytes).toString(16).padStart(8, '0');
}

function createVersion(content: Content, index: number, resource: Resource, nowMs: number): Version {
  let gzip: Representation | undefined;
  return {
    index,
    fromRequest: content.fromRequest,
    identity: createRepresentation(content, 'identity', resource.validator, nowMs),
    gzip() {
      gzip ??= createRepresentation({ ...content, source: zipped(content.source) }, 'gzip', resource.validator, nowMs);
      return gzip;
    },
  };
}

/** Huffman coding without matching keeps it fast and its output the same on every zlib that we met. */
function zipped(source: ByteSource): ByteSource {
  return sourceOfBytes(gzipSync(source.read(0, source.sizeBytes), { level: 1, strategy: constants.Z_HUFFMAN_ONLY }));
}

function createRepresentation(
  content: Content,
  encoding: 'identity' | 'gzip',
  validator: ValidatorKind,
  nowMs: number,
): Representation {
  let digest: Buffer | undefined;
  return {
    source: content.source,
    encoding,
    ...validatorsOf(content, encoding, validator, nowMs),
    sha256() {
      digest ??= digestOf(content.source);
      return digest;
    },
  };
}

/** Long ago, so that RFC 9110 8.8.2.2 lets a client take it for a strong validator. */
const oldMs = Date.UTC(2024, 0, 1);
const hourMs = 3_600_000;

function validatorsOf(
  content: Content,
  encoding: 'identity' | 'gzip',
  kind: ValidatorKind,
  nowMs: number,
): { etag?: string; lastModifiedMs?: number } {
  const opaque = encoding === 'gzip' ? `"${content.tag}-gz"` : `"${content.tag}"`;
  const old = oldMs + content.tagIndex * hourMs;
  const fresh = Math.floor(nowMs / 1000) * 1000 - 5_000 + content.tagIndex * 1000;
  const table = {
    strong: { etag: opaque },
    weak: { etag: `W/${opaque}` },
    'last-modified': { lastModifiedMs: old },
    'last-modified-weak': { lastModifiedMs: fresh },
    both: { etag: opaque, lastModifiedMs: old },
    none: {},
  };
  return table[kind];
}

const digestStepBytes = 4 * 1024 * 1024;

/** SHA-256 of a source, read in steps so that it needs little memory. */
export function digestOf(source: ByteSource): Buffer {
  const hash = createHash('sha256');
  for (let at = 0; at < source.sizeBytes; at += digestStepBytes) {
    hash.update(source.read(at, Math.min(at + digestStepBytes, source.sizeBytes)));
  }
  return hash.digest();
}
