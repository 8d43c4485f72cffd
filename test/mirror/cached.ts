/** A mirror with a cache in a folder of its own, as tests want it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMirror, type Mirror, type MirrorEvent, type MirrorOptions } from '../../src/mirror/index.ts';

export interface Folder extends AsyncDisposable {
  readonly path: string;
}

export async function newFolder(): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), 'reknit-mirror-test-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

export interface Watched extends AsyncDisposable {
  readonly mirror: Mirror;
  readonly events: readonly MirrorEvent[];
}

export async function openMirror(options: MirrorOptions): Promise<Watched> {
  const events: MirrorEvent[] = [];
  const mirror = await createMirror({ cacheDirectory: false, onEvent: (event) => events.push(event), ...options });
  return { mirror, events, [Symbol.asyncDispose]: () => mirror.close() };
}

/** Status, provenance and bytes. */
export async function read(
  url: string,
  init: RequestInit = {},
): Promise<{ status: number; from: string | null; bytes: Buffer; headers: Headers }> {
  const response = await fetch(url, init);
  const { status, headers } = response;
  return { status, headers, from: headers.get('x-reknit-cache'), bytes: Buffer.from(await response.arrayBuffer()) };
}
