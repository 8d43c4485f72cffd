/** Limits per host that adapt, and that all processes of a user share where they are given the same folder. */
import { join } from 'node:path';
import { ConfigError, type EventListener, type Failure, show } from '../core/index.ts';
import { type Runtime, systemRuntime } from '../runtime/index.ts';
import { HostGate, type HostWait } from './host-gate.ts';
import { FIRST_LIMIT, MAX_LIMIT } from './host-share.ts';
import { FolderHostStore, type HostStore, OwnHostStore } from './host-store.ts';
import type { ConnectionLease, ConnectionLimits } from './limits.ts';

export interface HostLimitsOptions {
  /** Where processes meet: the same for all of them. @default this process has limits of its own */
  readonly stateFolder?: string | undefined;
  /** Connections to a host of which nothing is known. @default 8 */
  readonly firstLimit?: number | undefined;
  /** The folder cannot be used, and the limits are this process's own: told once. */
  readonly onLocal?: ((because: string) => void) | undefined;
}

export interface AcquireOptions {
  readonly signal?: AbortSignal | undefined;
  /** For a file that has a connection already: it gets what others leave. @default false */
  readonly isExtra?: boolean;
  /** There is no room now; called again when the reason changes. */
  readonly onWait?: ((wait: HostWait) => void) | undefined;
}

/** Limits per host, shared by whoever is given them: downloads, and requests of your own. */
export interface HostLimits extends ConnectionLimits {
  /** @param host with its port, as `new URL(url).host` says it */
  acquire(host: string, how?: AcquireOptions): Promise<ConnectionLease>;
  /** Does something with one connection to a host; a request of a client that is given `onEvent` tells what it meets. */
  within<T>(host: string, act: (onEvent: EventListener) => Promise<T>, how?: AcquireOptions): Promise<T>;
  /** Gives everything back. Whoever waits is rejected. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Creates limits per host. A host begins with 8 connections; it gets fewer when it resets, refuses (429, 503, GOAWAY) or is
 * silent, more while they bring more, and none at all while its `Retry-After` lasts. With `stateFolder` all processes that
 * use the same folder share them, without a daemon; those of a process that was killed are free again at once.
 *
 * @throws ConfigError
 * @example
 * ```ts
 * import { createHostLimits, downloadAll } from 'reknit/download';
 * await using limits = createHostLimits({ stateFolder: '/var/tmp/downloads' });
 * const { outcomes } = await downloadAll([{ url: 'https://example.com/a.iso', to: 'a.iso' }], { limits });
 * console.log(outcomes[0]?.kind);
 * ```
 */
export function createHostLimits(options: HostLimitsOptions = {}): HostLimits {
  const { firstLimit = FIRST_LIMIT, stateFolder } = options;
  if (!Number.isSafeInteger(firstLimit) || firstLimit < 1 || firstLimit > MAX_LIMIT) {
    throw new ConfigError(
      `Cannot create limits as firstLimit must be an integer from 1 to ${MAX_LIMIT}: received ${show(firstLimit)}`,
    );
  }
  if (stateFolder !== undefined && (typeof stateFolder !== 'string' || stateFolder === '')) {
    throw new ConfigError(`Cannot create limits as stateFolder must be a path: received ${show(stateFolder)}`);
  }
  return new SharedHostLimits({ ...options, firstLimit }, systemRuntime);
}

class SharedHostLimits implements HostLimits {
  readonly #options: HostLimitsOptions & { readonly firstLimit: number };
  readonly #runtime: Runtime;
  readonly #gates = new Map<string, HostGate>();
  #folder: string | undefined;

  constructor(options: HostLimitsOptions & { readonly firstLimit: number }, runtime: Runtime) {
    this.#options = options;
    this.#runtime = runtime;
    this.#folder = options.stateFolder === undefined ? undefined : join(options.stateFolder, 'limits');
  }

  acquire(host: string, how: AcquireOptions = {}): Promise<ConnectionLease> {
    return this.#gateOf(host).acquire(how);
  }

  async within<T>(host: string, act: (onEvent: EventListener) => Promise<T>, how?: AcquireOptions): Promise<T> {
    const lease = await this.acquire(host, how);
    let failure: Failure | undefined;
    try {
      const value = await act((event) => {
        if (event.type === 'failure') failure = event.failure;
        if (event.type === 'wait' && failure !== undefined)
          lease.report({ kind: 'failed', failure, delayMs: event.delayMs });
      });
      lease.report({ kind: 'worked', bytes: 0 });
      return value;
    } finally {
      lease.release();
    }
  }

  #gateOf(host: string): HostGate {
    const known = this.#gates.get(host);
    if (known !== undefined) return known;
    const gate = new HostGate({
      store: this.#openStore(host),
      fallBack: (error) => this.#goLocal(error),
      runtime: this.#runtime,
      firstLimit: this.#options.firstLimit,
    });
    this.#gates.set(host, gate);
    return gate;
  }

  #openStore(host: string): HostStore {
    if (this.#folder === undefined) return new OwnHostStore();
    try {
      return new FolderHostStore(this.#folder, host, this.#runtime);
    } catch (error) {
      return this.#goLocal(error);
    }
  }

  #goLocal(error: unknown): HostStore {
    if (this.#folder !== undefined) this.#options.onLocal?.(error instanceof Error ? error.message : String(error));
    this.#folder = undefined;
    return new OwnHostStore();
  }

  async close(): Promise<void> {
    const gates = [...this.#gates.values()];
    this.#gates.clear();
    await Promise.all(gates.map((gate) => gate.close()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
