/** Which processes of a run are alive, told by the kernel: all that it starts carry a mark in their environment. */
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Mark {
  readonly env: Readonly<Record<string, string>>;
  /** Of processes that have not ended; the words that each was started with. */
  alive(): ReadonlyMap<number, string>;
  untilNoneIsLeft(): Promise<void>;
  /** Resolves to the process whose words have this. */
  until(words: string): Promise<number>;
}

export const canSeeProcesses = process.platform === 'linux';

export function createMark(): Mark {
  const text = `REKNIT_TEST_MARK=${randomUUID()}`;
  const [name, value] = text.split('=') as [string, string];
  const alive = () => {
    const found = new Map<number, string>();
    for (const pid of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
      if (read(pid, 'environ').includes(text) && !isDead(pid)) {
        found.set(Number(pid), read(pid, 'cmdline').replaceAll('\0', ' '));
      }
    }
    return found;
  };
  return {
    env: { [name]: value },
    alive,
    untilNoneIsLeft: async () => {
      while (alive().size > 0) await sleep(20);
    },
    until: async (words) => {
      for (;;) {
        for (const [pid, line] of alive()) if (line.includes(words)) return pid;
        await sleep(20);
      }
    },
  };
}

function read(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch {
    return '';
  }
}

const isDead = (pid: string) => /\) [ZX] /.test(read(pid, 'stat')) || read(pid, 'stat') === '';
