// The proxies that are compared, each with one core where the machine has two: `start(upstreamPort)` gives a port and a pid.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const canPin = availableParallelism() >= 2 && spawnSync('taskset', ['-c', '0', 'true']).status === 0;
export const pinning = canPin
  ? 'the proxy on one core, clients and upstream on the other'
  : 'cores are not pinned here';

/** Core 0 is the proxy's. */
export const onCore = (core, command) => (canPin ? ['taskset', '-c', String(core), ...command] : command);

const fileOf = (name) => fileURLToPath(new URL(name, import.meta.url));
const findProgram = (name) =>
  ['/usr/sbin', '/usr/bin', '/usr/local/sbin'].map((folder) => join(folder, name)).find((path) => existsSync(path));

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

async function untilListening(port, child) {
  while (true) {
    if (child.exitCode !== null) throw new Error(`${child.spawnargs.join(' ')} ended with ${child.exitCode}`);
    const socket = connect(port, '127.0.0.1');
    const isOpen = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'error').then(() => false),
    ]).catch(() => false);
    socket.destroy();
    if (isOpen) return;
    await pause(20);
  }
}

/** A child that tells its port by IPC. */
export async function forked(file, args, core, node, execArgv = []) {
  const [program, ...rest] = onCore(core, [node, ...execArgv, fileOf(file), ...args]);
  const child = spawn(program, rest, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const [told] = await once(child, 'message');
  const stop = async () => {
    const gone = once(child, 'exit');
    child.disconnect();
    await gone;
  };
  return { ...told, pid: child.pid, child, stop };
}

async function daemon(command, port, folder, env = {}) {
  const [program, ...args] = onCore(0, command);
  const child = spawn(program, args, { stdio: 'ignore', env: { ...process.env, ...env } });
  await untilListening(port, child);
  const stop = async () => {
    const gone = once(child, 'exit');
    child.kill('SIGTERM');
    await Promise.race([gone, pause(3_000).then(() => child.kill('SIGKILL'))]);
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  };
  return { port, pid: child.pid, stop };
}

const createFolder = () => mkdtemp(join(tmpdir(), 'reknit-bench-'));

async function reknit(upstreamPort, { node, dist, execArgv = [] }) {
  const folder = await createFolder();
  const port = await freePort();
  const config = {
    listen: `127.0.0.1:${port}`,
    admin: '127.0.0.1:0',
    log: { to: join(folder, 'access.log') },
    upstreams: [{ name: 'only', url: `http://127.0.0.1:${upstreamPort}` }],
  };
  await writeFile(join(folder, 'gateway.json'), JSON.stringify(config));
  const main = fileURLToPath(new URL('cli/main.js', dist));
  return await daemon(
    [node, ...execArgv, main, 'gateway', '--quiet', '--config', join(folder, 'gateway.json')],
    port,
    folder,
  );
}

async function nginx(upstreamPort) {
  const folder = await createFolder();
  const port = await freePort();
  await mkdir(join(folder, 'logs'));
  const scratch = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  );
  await writeFile(
    join(folder, 'nginx.conf'),
    `pid ${folder}/nginx.pid; user root; worker_processes 1; master_process off; daemon off;
events { worker_connections 4096; }
http {
  access_log ${folder}/logs/access.log; ${scratch.join(' ')} keepalive_requests 1000000000;
  upstream only { server 127.0.0.1:${upstreamPort}; keepalive 256; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port} backlog=2048;
    location / { proxy_pass http://only; proxy_http_version 1.1; proxy_set_header Connection ""; }
  }
}`,
  );
  return await daemon(
    [findProgram('nginx'), '-p', folder, '-e', join(folder, 'logs/error.log'), '-c', join(folder, 'nginx.conf')],
    port,
    folder,
  );
}

async function haproxy(upstreamPort) {
  const folder = await createFolder();
  const port = await freePort();
  await writeFile(
    join(folder, 'haproxy.cfg'),
    `global
  nbthread 1
  maxconn 4096
defaults
  mode http
  option http-no-delay
  option http-keep-alive
  timeout connect 3s
  timeout client 60s
  timeout server 60s
frontend in
  bind 127.0.0.1:${port} backlog 2048
  default_backend out
backend out
  http-reuse always
  server only 127.0.0.1:${upstreamPort} pool-max-conn 256
`,
  );
  return await daemon([findProgram('haproxy'), '-q', '-f', join(folder, 'haproxy.cfg')], port, folder);
}

async function portkey(_upstreamPort, { node }) {
  const port = await freePort();
  const main = fileOf('../node_modules/@portkey-ai/gateway/build/start-server.js');
  return await daemon([node, main, '--headless', `--port=${port}`], port, undefined, { NODE_ENV: 'production' });
}

export const proxies = {
  'bare Node proxy': { start: (port, { node }) => forked('bare-proxy.mjs', [`http://127.0.0.1:${port}`], 0, node) },
  'reknit gateway': { start: reknit },
  nginx: { start: nginx, missing: findProgram('nginx') === undefined ? 'nginx is not installed' : undefined },
  haproxy: { start: haproxy, missing: findProgram('haproxy') === undefined ? 'haproxy is not installed' : undefined },
  Portkey: {
    start: portkey,
    // It proxies APIs of models and nothing else.
    only: ['chat', 'stream'],
    headers: (port) => `x-portkey-provider: openai\r\nx-portkey-custom-host: http://127.0.0.1:${port}/v1\r\n`,
  },
};
