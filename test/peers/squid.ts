import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createPlace, Daemon, findProgram, freePort } from './daemon.ts';

export const squidProgram = findProgram('squid', 'squid');

/** One request as squid has logged it, when it was over. */
export interface LoggedRequest {
  readonly method: string;
  /** `TCP_TUNNEL`, `TCP_DENIED`, `TCP_MISS`, … */
  readonly result: string;
  readonly status: number;
}

const shared = '/dev/shm';

export class Squid extends Daemon {
  /** Killed, it leaves its shared memory behind, which goes by its service's name. */
  override async [Symbol.asyncDispose](): Promise<void> {
    await super[Symbol.asyncDispose]();
    const names = await readdir(shared).catch(() => []);
    const own = names.filter((name) => name.startsWith(`${serviceName(this.port)}-`));
    await Promise.all(own.map((name) => rm(join(shared, name), { force: true })));
  }

  /** Ends it in peace and returns every request that it has seen. */
  async logged(): Promise<readonly LoggedRequest[]> {
    await this.stop('SIGTERM');
    const text = await readFile(join(this.folder, 'access.log'), 'utf8');
    const lines = text.split('\n').filter((line) => /^(GET|CONNECT) /.test(line));
    return lines.map((line) => {
      const [method, result, status] = line.split(' ');
      return { method: method!, result: result!, status: Number(status) };
    });
  }
}

/** @param rules `acl` and `http_access` lines, the first that matches counts */
export async function startSquid(rules: readonly string[]): Promise<Squid> {
  const folder = await createPlace('squid');
  const port = await freePort();
  await mkdir(join(folder, 'core'));
  const file = join(folder, 'squid.conf');
  await writeFile(file, configurationOf(rules, folder, port));
  const squid = new Squid(folder, port, [squidProgram!, '-N', '-n', serviceName(port), '-f', file]);
  await squid.start();
  return squid;
}

/** Two squids of the same name would share memory. */
function serviceName(port: number): string {
  return `reknit${port}`;
}

function configurationOf(rules: readonly string[], folder: string, port: number): string {
  return `
http_port 127.0.0.1:${port}
pid_filename none
visible_hostname peer
logformat short %rm %Ss %>Hs
access_log stdio:${folder}/access.log logformat=short
cache_log ${folder}/cache.log
coredump_dir ${folder}/core
cache deny all
cache_mem 0 MB
max_filedescriptors 1024
pinger_enable off
netdb_filename none
shutdown_lifetime 0 seconds
${rules.join('\n')}
`;
}
