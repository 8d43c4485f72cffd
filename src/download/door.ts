/** Options are resolved once, here: nothing was sent or written before. */
import { ConfigError, redactUrl, show } from '../core/index.ts';
import { createClient } from '../http/index.ts';
import { systemRuntime } from '../runtime/index.ts';
import { parseChecksumSource } from './checksum.ts';
import { lookUpChecksum } from './checksum-list.ts';
import { clientOptionsForDownload, GET_ATTEMPTS } from './client-defaults.ts';
import type { DownloadOptions, FetchOptions, StreamResult } from './download-options.ts';
import { checkHeader } from './header-rules.ts';
import { recallHosts, rememberHosts } from './host-memory.ts';
import { noLimits, Pace } from './limits.ts';
import type { HostMemory } from './sources.ts';
import type { TransferJob, TransferOutcome } from './transfer-job.ts';

/** Connections for one file. */
export const MAX_CONNECTIONS = 8;

export interface Door {
  /** Reads what is elsewhere: a list of checksums, what is remembered of mirrors. */
  job(): Promise<TransferJob>;
  remember(outcome: TransferOutcome, result: StreamResult): Promise<void>;
  close(): Promise<void>;
}

/** @throws ConfigError */
export function openDoor(
  url: string | URL,
  options: FetchOptions & Partial<DownloadOptions>,
  target: string | undefined,
): Door {
  const { checksum, headers = {}, signal, client, onEvent, onProgress, limitRate, stateFolder } = options;
  const home = checkUrl(url);
  const mirrors = (options.mirrors ?? []).map(checkUrl);
  for (const [name, value] of Object.entries(headers)) {
    for (const one of typeof value === 'string' ? [value] : value) checkHeader(name, one, 'use the header');
  }
  const source = checksum === undefined ? undefined : parseChecksumSource(checksum, 'use the checksum');
  const connections = checkConnections(options);
  if (limitRate !== undefined) checkCount('limitRate', limitRate);
  const own = client ?? createClient(clientOptionsForDownload(clientOptionsIn(options)));
  const news = new Map<string, HostMemory>();
  return {
    job: async () => ({
      url: home,
      mirrors,
      hostMemory: mirrors.length === 0 ? new Map() : await recallHosts(stateFolder),
      target,
      headers,
      checksum: source && (await lookUpChecksum(source, { url: home, target, client: own, signal })),
      requiresProof: options.requireProof === true,
      connections,
      limits: options.limits ?? noLimits,
      pace: limitRate === undefined ? undefined : new Pace(limitRate, systemRuntime.clock),
      client: own,
      signal,
      deadlineMs: options.timeouts?.deadlineMs,
      maxRestarts: options.retry?.maxAttempts ?? GET_ATTEMPTS,
      onEvent,
      onProgress,
      onSource: (failed) => news.set(new URL(failed).host, { failedAtMs: systemRuntime.clock.wallMs() }),
    }),
    remember: async ({ source: last }, { bytes, durationMs }) => {
      if (mirrors.length === 0) return;
      news.set(new URL(last).host, { bytesPerSecond: Math.round((bytes / Math.max(1, durationMs)) * 1_000) });
      await rememberHosts(stateFolder, news);
    },
    close: async () => {
      if (own !== client) await own.destroy();
    },
  };
}

function clientOptionsIn(options: FetchOptions & Partial<DownloadOptions>): object {
  const {
    checksum: _checksum,
    requireProof: _requireProof,
    mirrors: _mirrors,
    limitRate: _limitRate,
    limits: _limits,
    stateFolder: _stateFolder,
    headers: _headers,
    signal: _signal,
    client: _client,
    onEvent: _onEvent,
    onProgress: _onProgress,
    to: _to,
    force: _force,
    initialConnections: _initialConnections,
    maxConnections: _maxConnections,
    ...rest
  } = options;
  return rest;
}

function checkConnections(options: Partial<DownloadOptions>): TransferJob['connections'] {
  const { initialConnections, maxConnections, connections } = options;
  if (initialConnections !== undefined) checkCount('initialConnections', initialConnections);
  if (maxConnections !== undefined) checkCount('maxConnections', maxConnections);
  // Whoever wants many at once wants them, whatever the default says.
  const unsaid = Math.min(
    connections?.maxPerOrigin ?? MAX_CONNECTIONS,
    Math.max(MAX_CONNECTIONS, initialConnections ?? 1),
  );
  const max = maxConnections ?? unsaid;
  return { first: Math.min(initialConnections ?? 1, max), max };
}

function checkCount(name: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 1) return;
  throw new ConfigError(`Cannot download as ${name} must be an integer >= 1: received ${show(value)}`);
}

function checkUrl(url: string | URL): string {
  const parsed = URL.canParse(String(url)) ? new URL(url) : undefined;
  if (parsed?.protocol !== 'http:' && parsed?.protocol !== 'https:') {
    throw new ConfigError(
      `Cannot download as the URL must be an absolute http or https URL: received ${show(redactUrl(String(url)))}`,
    );
  }
  return parsed.href;
}

export function checkPath(to: unknown): string {
  if (typeof to === 'string' && to !== '' && !to.includes('\0')) return to;
  throw new ConfigError(`Cannot download as \`to\` must be a path: received ${show(to)}`);
}
