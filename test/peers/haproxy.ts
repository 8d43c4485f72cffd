import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createPlace, Daemon, findProgram, freePort, until } from './daemon.ts';

export const haproxyProgram = findProgram('haproxy', 'haproxy');

export interface HaproxyPlan {
  /** Lines of the `defaults` section, over the usual ones. */
  readonly defaults?: readonly string[];
  /** Lines of the one `listen` section: its servers above all. */
  readonly listen: readonly string[];
}

/** One request as haproxy has logged it, when it was over. */
export interface LoggedRequest {
  readonly status: number;
  /** How it ended, in haproxy's own two letters: `--` well, `sQ` in the queue, `sH` without an answer, `SD` cut. */
  readonly ended: string;
}

export class Haproxy extends Daemon {
  /** Resolves when the new workers have taken over. The master, which starts anew itself, is deaf while it does: asked until it hears. */
  async reload(): Promise<void> {
    const before = this.#count('Reloading HAProxy');
    await until(() => {
      const reloads = this.#count('Reloading HAProxy');
      if (reloads === before) this.signal('SIGUSR2');
      return reloads > before && this.#count('Loading success') === reloads + 1;
    });
  }

  #count(line: string): number {
    return this.said.split(line).length - 1;
  }

  /** Asks it to end when its requests have, and returns every request that it has seen. */
  async logged(): Promise<readonly LoggedRequest[]> {
    let isOver = false;
    const ended = this.stop('SIGUSR1').then(() => {
      isOver = true;
    });
    await until(() => {
      if (!isOver) this.signal('SIGUSR1');
      return isOver;
    });
    await ended;
    return [...this.said.matchAll(/^request (-?\d+) (\S\S)/gm)].map(([, status, ended]) => ({
      status: Number(status),
      ended: ended!,
    }));
  }
}

/** In master and worker mode, as distributions start it: SIGUSR2 reloads. */
export async function startHaproxy(plan: HaproxyPlan): Promise<Haproxy> {
  const folder = await createPlace('haproxy');
  const port = await freePort();
  const file = join(folder, 'haproxy.cfg');
  await writeFile(file, configurationOf(plan, port));
  const haproxy = new Haproxy(folder, port, [haproxyProgram!, '-W', '-f', file]);
  await haproxy.start();
  return haproxy;
}

/**
 * One thread, since the log is compared line by line: of two threads that log to a file descriptor at once, one gives up
 * after 200 looks at the lock and drops its line (haproxy's fd_write_frag_line: "we prefer to fail on collision than to block").
 */
function configurationOf({ defaults = [], listen }: HaproxyPlan, port: number): string {
  const usual = ['mode http', 'timeout connect 1s', 'timeout client 10s', 'timeout server 10s', 'option dontlognull'];
  return `
global
  maxconn 256
  nbthread 1
  log stdout format raw daemon
defaults
  ${[...usual, ...defaults].join('\n  ')}
listen peer
  bind 127.0.0.1:${port}
  log global
  log-format "request %ST %ts"
  ${listen.join('\n  ')}
`;
}
