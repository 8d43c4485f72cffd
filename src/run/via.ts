/** `--via`: a mirror on loopback for as long as a command runs, that its tools are pointed at by their variables. */
import { ConfigError, redactUrl, show } from '../core/index.ts';
import type { Mirror, MirrorEvent } from '../mirror/index.ts';
import type { RunEvent } from './run-events.ts';
import type { Recognised } from './run-tools.ts';
import { pointAt } from './via-environment.ts';
import { type ViaRow, viaRows, viaVariable } from './via-rows.ts';

/** By name (`pypi`, `npm`, …), or by the variable that gets the address: what the mirror is in front of; `true` is the public one. */
export type ViaOption = Readonly<Record<string, string | readonly string[] | true>>;

export interface ViaOrigin {
  readonly row: ViaRow;
  readonly upstreams: readonly string[];
}

/** @throws ConfigError naming what must hold and what came */
export function resolveVia(via: ViaOption, purpose: string): readonly ViaOrigin[] {
  return Object.entries(via).map(([name, given]) => {
    const row = rowNamed(name, purpose);
    const urls = given === true ? publicOf(row, purpose) : typeof given === 'string' ? [given] : given;
    return { row, upstreams: urls.map((url) => upstreamOf(row, url, purpose)) };
  });
}

function rowNamed(name: string, purpose: string): ViaRow {
  const row = viaRows.find((each) => each.name === name);
  if (row !== undefined) return row;
  if (/^[A-Z][A-Z0-9_]*$/.test(name)) return viaVariable(name);
  const names = viaRows.map((each) => each.name).join(', ');
  throw new ConfigError(
    `Cannot ${purpose} as the name in via must be one of ${names}, or a variable in capitals: received ${show(name)}`,
  );
}

function publicOf({ name, publicUpstream }: ViaRow, purpose: string): readonly string[] {
  if (publicUpstream !== undefined) return [publicUpstream];
  throw new ConfigError(`Cannot ${purpose} as via ${name} must say which URL: ${name}=https://…`);
}

function upstreamOf({ name }: ViaRow, given: string, purpose: string): string {
  const url = typeof given === 'string' && URL.canParse(given) ? new URL(given) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '') {
    const came = typeof given === 'string' ? redactUrl(given) : given;
    throw new ConfigError(
      `Cannot ${purpose} as via ${name} must be an http or https URL without a query: received ${show(came)}`,
    );
  }
  // The host alone is what people remember of an index.
  if (name === 'pypi' && url.pathname === '/') url.pathname = '/simple';
  return url.href.replace(/\/+$/, '');
}

/** A mirror that runs, and how the command finds it. */
export interface ViaSession {
  readonly env: NodeJS.ProcessEnv;
  readonly words: readonly string[];
  /** So many requests it could not answer as the origin would, in all. */
  readonly troubles: number;
  /** Tells what was asked of it. */
  report(): void;
  close(): Promise<void>;
}

interface Count {
  requests: number;
  bytes: number;
  repeats: number;
}

export async function startVia(
  origins: readonly ViaOrigin[],
  env: NodeJS.ProcessEnv,
  { tool, args }: Recognised,
  tell: (event: RunEvent) => void,
): Promise<ViaSession> {
  const { createMirror } = await import('../mirror/index.ts');
  const counts = new Map<string, Count>(origins.map(({ row }) => [row.name, { requests: 0, bytes: 0, repeats: 0 }]));
  let troubles = 0;
  const mirror = await createMirror({
    origins: origins.map(({ row: { name, preset }, upstreams }) => ({ name, preset, upstreams })),
    // The tools keep what they want to keep.
    cacheDirectory: false,
    onEvent: (event) => {
      count(counts, event);
      if (isTrouble(event)) troubles += 1;
    },
  });
  const pointings = origins.map(({ row, upstreams }) => ({ row, place: { url: mirror.urlFor(row.name), upstreams } }));
  const pointed = pointAt(pointings, env, tool?.name, args);
  for (const { row, set, notes } of pointed) {
    tell({ type: 'via', name: row.name, url: mirror.urlFor(row.name), upstreams: shownOf(mirror, row.name), set });
    for (const text of notes) tell({ type: 'note', text });
  }
  return {
    env: pointed.at(-1)?.env ?? env,
    words: pointed.flatMap(({ words }) => words),
    get troubles() {
      return troubles;
    },
    report: () => {
      for (const [name, numbers] of counts) tell({ type: 'via-end', name, ...numbers });
    },
    close: () => mirror.close(),
  };
}

/** Its own refusals above all: an index that could not be had reads to some tools as one without the package. */
function isTrouble(event: MirrorEvent): boolean {
  return event.type === 'request' && (event.outcome === 'broken' || event.status >= 500);
}

function shownOf(mirror: Mirror, name: string): readonly string[] {
  return mirror.origins.find((origin) => origin.name === name)?.upstreams.map(redactUrl) ?? [];
}

function count(counts: ReadonlyMap<string, Count>, event: MirrorEvent): void {
  const found = counts.get(event.origin ?? '');
  if (found === undefined) return;
  if (event.type === 'request') {
    found.requests += 1;
    found.bytes += event.bytes;
  } else if (event.type === 'fetch') found.repeats += Math.max(0, event.attempts - 1);
}
