import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createPlace, Daemon, findProgram, freePort } from './daemon.ts';

export const nginxProgram = findProgram('nginx', 'nginx-light');

export interface NginxPlan {
  /** Directives of the server, its locations above all. */
  readonly server?: string;
  /** Directives beside the server: zones, upstreams, caches. `FOLDER` stands for the daemon's own. */
  readonly http?: string;
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  /** @default 2 */
  readonly workers?: number;
}

/** One request as nginx has logged it, when it was over. */
export interface LoggedRequest {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly range: string | undefined;
  /** HIT, MISS, … where a cache was asked. */
  readonly cache: string | undefined;
}

export class Nginx extends Daemon {
  async workers(): Promise<readonly number[]> {
    const children = await readFile(`/proc/${this.pid}/task/${this.pid}/children`, 'utf8');
    return children.trim().split(/\s+/).filter(Boolean).map(Number);
  }

  async signalWorkers(name: NodeJS.Signals): Promise<void> {
    for (const pid of await this.workers()) process.kill(pid, name);
  }

  /** Ends it in peace and returns every request that it has finished. */
  async logged(): Promise<readonly LoggedRequest[]> {
    await this.stop('SIGQUIT');
    const text = await readFile(join(this.folder, 'logs/access.log'), 'utf8');
    return text.split('\n').filter(Boolean).map(parseLine);
  }
}

function parseLine(line: string): LoggedRequest {
  const [method, path, status, cache, range] = line.split(' ');
  const known = (text: string | undefined) => (text === '-' ? undefined : text);
  return { method: method!, path: path!, status: Number(status), cache: known(cache), range: known(range) };
}

export async function startNginx(plan: NginxPlan): Promise<Nginx> {
  const folder = await createPlace('nginx');
  const port = await freePort();
  await mkdir(join(folder, 'www'));
  await mkdir(join(folder, 'logs'));
  for (const [name, content] of Object.entries(plan.files ?? {})) await writeFile(join(folder, 'www', name), content);
  await writeFile(join(folder, 'nginx.conf'), configurationOf(plan, folder, port));
  const nginx = new Nginx(folder, port, [nginxProgram!, ...nginxArguments(folder)]);
  await nginx.start();
  return nginx;
}

export function nginxArguments(folder: string): readonly string[] {
  return ['-p', folder, '-e', join(folder, 'logs/error.log'), '-c', join(folder, 'nginx.conf'), '-g', 'daemon off;'];
}

/** `user` is for those who start as root, the root of a namespace too; to others it means nothing. */
export function configurationOf(plan: NginxPlan, folder: string, port: number): string {
  const scratch = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `
pid ${folder}/nginx.pid;
user root;
${plan.workers === 0 ? 'master_process off;' : `worker_processes ${plan.workers ?? 2};`}
worker_shutdown_timeout 300ms;
events { worker_connections 256; }
http {
  log_format short '$request_method $uri $status $upstream_cache_status $http_range';
  access_log ${folder}/logs/access.log short;
  ${scratch.map((name) => `${name}_temp_path ${folder}/${name};`).join(' ')}
  default_type application/octet-stream;
  ${(plan.http ?? '').replaceAll('FOLDER', folder)}
  server {
    listen 127.0.0.1:${port};
    root ${folder}/www;
    ${plan.server ?? ''}
  }
}`;
}
