/** Cases of real programs: nginx, haproxy, squid, and the kernel's firewall. */
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { type KernelFault, kernelAbilities, startFront, startKernelLab, startLab } from '../../src/lab/index.ts';
import { jsonLines } from '../cli/command.ts';
import { haproxyProgram, startHaproxy } from '../peers/haproxy.ts';
import { type NginxPlan, nginxProgram, startNginx } from '../peers/nginx.ts';
import { squidProgram, startSquid } from '../peers/squid.ts';
import { type Case, MiB, type Outcome, type Played } from './scenario.ts';

const content = randomBytes(8 * MiB);
const noNginx = nginxProgram === undefined ? 'nginx is not installed' : undefined;

function nginxCase(
  name: string,
  expect: Case['expect'],
  what: string,
  plan: NginxPlan,
  options: Played['options'] = {},
): Case {
  return {
    name,
    expect,
    what,
    missing: noNginx,
    play: async () => {
      const nginx = await startNginx({ files: { 'file.bin': content }, workers: 1, ...plan });
      return {
        url: `${nginx.url}/file.bin`,
        options: { proxy: false, ...options },
        [Symbol.asyncDispose]: () => nginx[Symbol.asyncDispose](),
      };
    },
  };
}

const nginxCases: readonly Case[] = [
  { ...nginxCase('nginx-healthy', ['nothing-wrong'], 'nginx as it comes', {}), isQuick: true },
  nginxCase('nginx-no-keepalive', ['nothing-wrong'], 'nginx that closes after each answer, and says so', {
    server: 'keepalive_timeout 0;',
  }),
  {
    ...nginxCase('nginx-limit-conn', ['connection-limit'], 'limit_conn 2', {
      http: 'limit_conn_zone $binary_remote_addr zone=c:1m;',
      server: 'location /file.bin { limit_conn c 2; limit_conn_status 429; limit_rate 20m; }',
    }),
    isQuick: true,
  },
  nginxCase('nginx-limit-req', ['rate-limit'], 'limit_req 2 a second, burst 3', {
    http: 'limit_req_zone $binary_remote_addr zone=r:1m rate=2r/s;',
    server: 'location /file.bin { limit_req zone=r burst=3 nodelay; limit_req_status 429; }',
  }),
  nginxCase('nginx-short-keepalive', ['keep-alive-race'], 'idle connections are closed after a second', {
    server: 'keepalive_timeout 1s;',
  }),
  nginxCase('nginx-agent-filter', ['request-unwelcome'], '403 for our User-Agent', {
    server: 'if ($http_user_agent ~ reknit) { return 403; }',
  }),
  nginxCase(
    'nginx-body-limit',
    ['upload-limit'],
    'client_max_body_size 100k',
    {
      server:
        'client_max_body_size 100k; location /file.bin { proxy_pass http://127.0.0.1:$server_port/taken; } location /taken { return 200 "ok"; }',
    },
    { method: 'POST', body: 'x', allowWrites: true },
  ),
  nginxCase('nginx-gateway-down', ['server-fails'], 'a gateway whose server is down: 502', {
    server: 'location /file.bin { proxy_pass http://127.0.0.1:9; }',
  }),
];

/** A gateway in front of a server that comes and goes. */
const gatewayRestarts: Case = {
  name: 'nginx-gateway-restarts',
  expect: ['server-restarting'],
  what: '502 from nginx while the server behind is away, 1.5 of every 3 s',
  missing: noNginx,
  play: async (seed) => {
    const lab = await startLab({ seed });
    const run = lab.play({ name: 'behind', resource: { sizeBytes: 65_536 } }, { port: 'own' });
    const front = await startFront({ target: { host: '127.0.0.1', port: Number(new URL(run.url).port) } });
    const nginx = await startNginx({ workers: 1, server: `location / { proxy_pass http://127.0.0.1:${front.port}; }` });
    let timer: NodeJS.Timeout | undefined;
    let isOver = false;
    const leave = () => {
      front.refuse();
      front.resetAll();
      timer = setTimeout(() => void front.listen().then(stay, stay), 1_500);
    };
    const stay = () => {
      if (!isOver) timer = setTimeout(leave, 1_500);
    };
    timer = setTimeout(leave, (seed * 600) % 1_500);
    const { pathname, search } = new URL(run.url);
    return {
      url: `${nginx.url}${pathname}${search}`,
      options: { proxy: false },
      [Symbol.asyncDispose]: async () => {
        isOver = true;
        clearTimeout(timer);
        await nginx[Symbol.asyncDispose]();
        await front.close();
        await lab.close();
      },
    };
  },
};

const haproxyIdle: Case = {
  name: 'haproxy-idle',
  expect: ['idle-limit'],
  what: 'haproxy ends what is silent for a second; kept connections are not what fails',
  missing: haproxyProgram === undefined ? 'haproxy is not installed' : noNginx,
  play: async () => {
    const nginx = await startNginx({ files: { 'file.bin': Buffer.concat([content, content]) }, workers: 1 });
    const haproxy = await startHaproxy({
      defaults: ['timeout client 1s', 'timeout http-keep-alive 30s'],
      listen: [`server s0 127.0.0.1:${nginx.port}`],
    });
    return {
      url: `${haproxy.url}/file.bin`,
      options: { proxy: false },
      [Symbol.asyncDispose]: async () => {
        await haproxy[Symbol.asyncDispose]();
        await nginx[Symbol.asyncDispose]();
      },
    };
  },
};

function squidCase(
  name: string,
  expect: Case['expect'],
  what: string,
  rules: readonly string[],
  scenario: 'good' | 'closed',
): Case {
  return {
    name,
    expect,
    what,
    missing: squidProgram === undefined ? 'squid is not installed' : undefined,
    play: async (seed) => {
      const lab = await startLab({ seed, tls: true });
      const run = lab.play({ name: 'behind', resource: { sizeBytes: 4 * MiB } }, { port: 'own' });
      const squid = await startSquid(rules);
      const url = new URL(run.url);
      if (scenario === 'closed') url.port = String(await lab.reservePort());
      return {
        url: url.href,
        options: { proxy: squid.url, tls: { ca: lab.ca } },
        [Symbol.asyncDispose]: async () => {
          await squid[Symbol.asyncDispose]();
          await lab.close();
        },
      };
    },
  };
}

const squidCases: readonly Case[] = [
  squidCase('squid-healthy', ['nothing-wrong'], 'by way of squid', ['http_access allow all'], 'good'),
  squidCase(
    'squid-maxconn',
    ['connection-limit'],
    'maxconn 2',
    ['acl many maxconn 2', 'http_access deny many', 'http_access allow all'],
    'good',
  ),
  squidCase('squid-denies', ['proxy-refuses'], 'a rule that denies the server', ['http_access deny all'], 'good'),
  squidCase(
    'squid-cannot-reach',
    ['proxy-fails', 'server-down'],
    'the server behind squid is down',
    ['http_access allow all'],
    'closed',
  ),
];

const cli = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const abilities = await kernelAbilities();

/** The command line in a network of its own, where the kernel does it. */
function kernelCase(name: string, expect: Case['expect'], what: string, fault: KernelFault): Case {
  const ability = abilities.namespace.kind === 'missing' ? abilities.namespace : abilities.faults[fault.kind];
  return {
    name,
    expect,
    what,
    missing: ability.kind === 'missing' ? ability.why : undefined,
    play: async (seed) => {
      const lab = await startLab({ seed });
      const run = lab.play({ name: 'behind', resource: { sizeBytes: 8 * MiB } });
      const { hostname, port } = new URL(lab.origin);
      const kernel = await startKernelLab({ target: { host: hostname, port: Number(port) } });
      if (kernel.kind !== 'started') throw new Error('no namespace');
      await kernel.apply(fault);
      const url = new URL(run.url);
      url.host = `${kernel.host}:${kernel.port}`;
      return {
        url: url.href,
        elsewhere: async (): Promise<Outcome> => {
          const { stdout, stderr } = await kernel.run([
            process.execPath,
            cli,
            'diagnose',
            url.href,
            '--json',
            '--proxy',
            'none',
          ]);
          const last = jsonLines(stdout).at(-1) as unknown as
            | { verdict: { kind: Outcome['kind']; causes: Outcome['causes'] }; requestCount: number; tookMs: number }
            | undefined;
          if (last?.verdict === undefined) throw new Error(`no diagnosis: ${stderr}`);
          const steps = jsonLines(stdout)
            .filter(({ event }) => event === 'finding')
            .map((one) => `${one.experiment} = ${one.outcome} | ${one.evidence}`);
          return { ...last, ...last.verdict, steps };
        },
        [Symbol.asyncDispose]: async () => {
          await kernel.close();
          await lab.close();
        },
      };
    },
  };
}

const kernelCases: readonly Case[] = [
  kernelCase('iptables-connbytes', ['size-limit'], 'REJECT with tcp-reset from 1 MB of a connection on (connbytes)', {
    kind: 'reset-after',
    bytes: 1_000_000,
  }),
  kernelCase('iptables-drop', ['firewall-drops'], 'DROP', { kind: 'drop' }),
  kernelCase('iptables-drop-after', ['stalls'], 'DROP from 1 MB of a connection on', {
    kind: 'drop-after',
    bytes: 1_000_000,
  }),
  kernelCase('iptables-reject', ['server-down', 'no-route'], 'REJECT with tcp-reset', { kind: 'reset' }),
  kernelCase('iptables-unreachable', ['no-route'], 'REJECT with icmp-host-unreachable', {
    kind: 'unreachable',
    by: 'icmp-host-unreachable',
  }),
];

export const peerCases: readonly Case[] = [...nginxCases, gatewayRestarts, haproxyIdle, ...squidCases, ...kernelCases];
