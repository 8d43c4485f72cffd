import { unwatchFile, watchFile } from 'node:fs';
import { ConfigError } from '../core/index.ts';
import { createGateway, type Gateway, gatewayJsonSchema, loadConfig } from '../gateway/index.ts';
import { exitCodes } from './exit-code.ts';

/** Values of the flags as the command line gave them. */
export interface GatewayFlags {
  readonly config?: string;
  readonly check?: boolean;
  readonly schema?: boolean;
  readonly watch?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** How often `--watch` looks at the file; events of file systems are lost behind mounts and renames. */
const WATCH_MS = 500;

/** `reknit gateway`: serves until it is told to end, which is no failure. @returns the exit code */
export async function gateway(flags: GatewayFlags): Promise<number> {
  if (flags.schema) {
    process.stdout.write(`${JSON.stringify(gatewayJsonSchema(), undefined, 2)}\n`);
    return exitCodes.done;
  }
  const teller = new Teller(flags);
  try {
    if (flags.config === undefined)
      throw new ConfigError('Cannot start the gateway as --config must name a file: received none');
    const config = await loadConfig(flags.config);
    if (flags.check) {
      await checkReferences(flags.config, config, teller);
      return exitCodes.done;
    }
    hearClosedPipes();
    // Before anything is said: who reads that we listen may end us at once.
    const signals = new Signals();
    const running = await createGateway(config);
    teller.listening(running);
    await serve(running, flags.config, flags.watch === true, signals, teller);
    return exitCodes.done;
  } catch (error) {
    return explain(error);
  }
}

/** Whoever read what we say has gone; those whom we serve have not. */
function hearClosedPipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.removeAllListeners('error');
    stream.on('error', () => {});
  }
}

async function checkReferences(
  path: string,
  config: Parameters<typeof createGateway>[0],
  teller: Teller,
): Promise<void> {
  const { resolveConfig } = await import('../gateway/index.ts');
  const { pools, routes } = resolveConfig(config, process.env);
  const upstreams = pools.reduce((sum, pool) => sum + pool.upstreams.length, 0);
  teller.say(
    { event: 'checked', file: path, pools: pools.length, upstreams, routes: routes.length },
    `${path} is right: ${count(pools.length, 'pool')}, ${count(upstreams, 'upstream')}, ${count(routes.length, 'route')}`,
  );
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}

/** Until the first SIGTERM or Ctrl-C drains it; the second ends it at once. */
async function serve(
  running: Gateway,
  path: string,
  watches: boolean,
  signals: Signals,
  teller: Teller,
): Promise<void> {
  const reload = () => void takeOver(running, path, teller);
  signals.onReload = reload;
  if (watches) watchFile(path, { interval: WATCH_MS }, reload);
  await signals.toEnd;
  if (watches) unwatchFile(path, reload);
  teller.say({ event: 'draining' }, 'draining: running requests may end');
  signals.onEndAgain = () => void running.close();
  await running.drain();
  teller.say({ event: 'ended' }, 'ended');
  signals.stop();
}

async function takeOver(running: Gateway, path: string, teller: Teller): Promise<void> {
  try {
    running.reload(await loadConfig(path));
    teller.say({ event: 'reloaded', file: path }, `${path} is taken over`);
  } catch (error) {
    running.reloadFailed();
    const { message } = error as Error;
    teller.complain({ event: 'reload-failed', message }, `${message}\nreknit: the last good configuration stays`);
  }
}

class Signals {
  readonly toEnd: Promise<void>;
  onReload: (() => void) | undefined;
  onEndAgain: (() => void) | undefined;
  #end!: () => void;
  #hasEnded = false;

  constructor() {
    this.toEnd = new Promise((resolve) => {
      this.#end = resolve;
    });
    process.on('SIGTERM', this.#onEnd);
    process.on('SIGINT', this.#onEnd);
    // Windows has no such signal, and Node.js ends the process there when a console closes.
    if (process.platform !== 'win32') process.on('SIGHUP', this.#onHangUp);
  }

  readonly #onEnd = (): void => {
    if (this.#hasEnded) this.onEndAgain?.();
    this.#hasEnded = true;
    this.#end();
  };

  readonly #onHangUp = (): void => this.onReload?.();

  stop(): void {
    process.off('SIGTERM', this.#onEnd);
    process.off('SIGINT', this.#onEnd);
    process.off('SIGHUP', this.#onHangUp);
  }
}

class Teller {
  readonly #isJson: boolean;
  readonly #isQuiet: boolean;

  constructor({ json = false, quiet = false }: GatewayFlags) {
    this.#isJson = json;
    this.#isQuiet = quiet;
  }

  listening({ urls, adminUrl }: Gateway): void {
    const admin = adminUrl === undefined ? '' : `; /healthz /readyz /metrics /pools at ${adminUrl}`;
    this.say({ event: 'listening', urls, adminUrl }, `serving at ${urls.join(', ')}${admin}`);
  }

  say(event: object, text: string): void {
    if (!this.#isQuiet) this.complain(event, text);
  }

  complain(event: object, text: string): void {
    process.stderr.write(this.#isJson ? `${JSON.stringify(event)}\n` : `reknit: ${text}\n`);
  }
}

function explain(error: unknown): number {
  const { code, message } = error as NodeJS.ErrnoException;
  if (error instanceof ConfigError) {
    process.stderr.write(`${message.replace(/^(?=.)/gm, 'reknit: ')}\n`);
    return exitCodes.usage;
  }
  if (code === undefined || !['EADDRINUSE', 'EADDRNOTAVAIL', 'EACCES', 'ENOTFOUND', 'EAI_AGAIN'].includes(code))
    throw error;
  process.stderr.write(`reknit: Cannot start the gateway as an address cannot be listened on (${message})\n`);
  return exitCodes.local;
}
