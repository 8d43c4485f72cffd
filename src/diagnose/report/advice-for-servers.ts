/** Advice where the server or the request is the matter, its numbers to be filled in: data. */

import type { CauseId } from '../inference/cause-list.ts';
import { retry } from './advice-settings.ts';
import type { CauseAdvice } from './cause-advice.ts';

export const adviceForServers = {
  'nothing-wrong': {
    helps: [
      [
        'anyone',
        'run reknit diagnose again while it fails, from the machine on which it fails, with the same headers (-H) and proxy',
      ],
      ['anyone', 'pipe the failing output into reknit explain: it knows which phase the text speaks of'],
    ],
    ask: [],
    logs: [],
  },
  passed: {
    helps: [
      ['anyone', 'run reknit diagnose again while it fails: what is over cannot be examined'],
      [
        'reknit',
        'reknit get URL -o FILE goes on where a body was cut, and reknit run repeats a command; both outlast such moments',
      ],
      ...retry,
    ],
    ask: ['What happened at these instants: a restart, a deployment, a reload, an alarm for load?'],
    logs: [
      ['nginx', 'upstream prematurely closed connection; connect() failed; “signal process started” in error.log'],
      ['haproxy', 'termination states SC, SD, SH, CD at these instants'],
      ['squid', 'TCP_MISS_ABORTED; ERR_READ_ERROR; ERR_CONNECT_FAIL'],
    ],
  },
  'server-down': {
    helps: [
      [
        'anyone',
        'check port and host of {url}; on the server: ss -ltn shows whether anything listens, and on which address',
      ],
      ...retry,
    ],
    ask: [
      'Is the service up, and does it listen on {address}, not on 127.0.0.1 alone?',
      'Does a firewall reject (tcp-reset) this port for our address?',
    ],
    logs: [
      ['haproxy', 'termination state SC or “backend has no server available”'],
      ['nginx', 'connect() failed (111: Connection refused) while connecting to upstream'],
    ],
  },
  'server-restarting': {
    helps: [['reknit', 'reknit get and reknit run outlast it; in a program createPool over two upstreams'], ...retry],
    ask: [
      'What restarted at these instants: a deployment, the OOM killer, a failing health check?',
      'Do old workers drain before they are ended?',
    ],
    logs: [
      [
        'nginx',
        'connect() failed (111), upstream prematurely closed connection; error.log with “signal process started”, “worker process … exited on signal 9”',
      ],
      ['haproxy', 'termination states SC, SH, SD; “Server … is DOWN”'],
    ],
  },
  'server-overloaded': {
    helps: [
      ['reknit', 'fewer at once: --max-connections 2; its retry budget keeps it from adding to the load'],
      ['uv', 'UV_CONCURRENT_DOWNLOADS=2'],
      ['npm', 'npm config set maxsockets 3'],
      ...retry.slice(1, 3),
      ['nginx', 'upstream: max_conns and queue length; proxy_next_upstream error timeout http_503'],
    ],
    ask: [
      'How long is the queue, and how many workers are busy at these instants?',
      'Is there a limit (CPU, connections to a database) that is reached?',
    ],
    logs: [
      ['nginx', 'worker_connections are not enough; upstream timed out (110)'],
      ['haproxy', 'termination states sQ and cQ: the queue was full; sH: no answer in time'],
    ],
  },
  'accept-queue-full': {
    helps: [
      ['nginx', 'listen … backlog=4096, and sysctl net.core.somaxconn=4096; more workers'],
      ['anyone', 'a connect time limit of at least 10 s: the SYN is sent again after 1, 3 and 7 s'],
      ['curl', 'curl --connect-timeout 15 --retry 5'],
      ['reknit', '--connect-timeout 15s'],
    ],
    ask: [
      'What does nstat -az TcpExtListenOverflows TcpExtListenDrops say, and ss -ltn for Recv-Q against Send-Q of the listening socket?',
    ],
    logs: [['haproxy', 'maxconn of the frontend reached; “Proxy … reached process FD limit”']],
  },
  'server-fails': {
    helps: [
      ['anyone', 'a repeat does not help while the server answers so; its log has the reason'],
      ['reknit', 'createPool over a second upstream, if there is one'],
    ],
    ask: ['What does the application log at the instants below, for the request ids below?'],
    logs: [
      [
        'nginx',
        'upstream prematurely closed connection; no live upstreams while connecting to upstream; upstream sent too big header',
      ],
      ['haproxy', 'termination states SH, PH, SC'],
    ],
  },
  'drops-requests': {
    helps: [
      [
        'anyone',
        'compare with another machine and network: if it goes well there, a filter on the way minds this request',
      ],
      ['curl', 'curl -v {url} shows after which line it ends'],
    ],
    ask: [
      'Does a worker crash (core dump, OOM) at these instants?',
      'Does a web application firewall or intrusion filter drop connections from our address?',
    ],
    logs: [
      ['nginx', 'status 444 in access.log; “worker process … exited on signal 11”'],
      ['haproxy', 'termination states SH, SD, PR'],
    ],
  },
  'drops-connections': {
    helps: [
      ['anyone', 'try from another address or network: lists of allowed addresses look like this'],
      [
        'anyone',
        'with a port that was forwarded (docker, QEMU, ssh -L): the program behind it is not up, and the forwarder accepts for it',
      ],
    ],
    ask: ['Does the balancer have healthy servers behind it?', 'Is our address allowed?'],
    logs: [
      ['haproxy', 'termination states SC with retries, PR; “tcp-request connection reject”'],
      ['nginx', 'stream: no live upstreams'],
    ],
  },
  'server-silent': {
    helps: [
      ['anyone', 'give it one long try (60 s): an answer then means that it works that long'],
      ['reknit', '--headers-timeout 2m'],
      ['curl', 'curl --max-time 120'],
      ['uv', 'UV_HTTP_TIMEOUT=120'],
      ['pip', 'pip --timeout 120'],
    ],
    ask: [
      'What does the application wait for (a lock, a database, another service)? A thread dump at such a moment tells.',
    ],
    logs: [
      ['nginx', 'upstream timed out (110: Connection timed out) while reading response header from upstream'],
      ['haproxy', 'termination state sH'],
    ],
  },
  'request-unwelcome': {
    helps: [
      ['anyone', 'change {header}: that alone makes the difference'],
      ['curl', 'curl -H "{header}: …" or -A for the User-Agent'],
      ['requests', 'session.headers["{header}"] = …'],
      ['reknit', 'reknit get -H "{header}: …"'],
    ],
    ask: ['Which rule refuses this {header}?'],
    logs: [['nginx', 'access.log with $http_user_agent; ModSecurity: Access denied with code 403, rule id']],
  },
  'request-refused': {
    helps: [
      ['anyone', 'look at the address, the login and the method: the server answers, and says no'],
      ['curl', 'curl -i {url} shows what it says'],
      ['git', 'git ls-remote {url}: a private repository answers 404 without a login'],
    ],
    ask: ['Is this path right, and is our login allowed to read it?'],
    logs: [['nginx', 'the line of access.log with this status at the instants below']],
  },
  'upload-limit': {
    helps: [
      ['nginx', 'client_max_body_size (default 1m)'],
      ['anyone', 'send in parts of at most {upload}'],
      ['git', 'git config http.postBuffer 524288000, or push fewer commits at once'],
      ['npm', 'the registry’s max_body_size'],
    ],
    ask: ['Which limit for bodies holds on every hop (proxy, application)?'],
    logs: [
      ['nginx', 'client intended to send too large body'],
      ['squid', 'request_body_max_size: TCP_DENIED/413'],
    ],
  },
  'not-http': {
    helps: [
      ['anyone', 'check the port and whether it is https: or http:'],
      ['curl', 'curl -v --http0.9 {url} shows what comes'],
    ],
    ask: ['What listens on that port?'],
    logs: [['nginx', 'client sent plain HTTP request to HTTPS port']],
  },
  'damaged-content': {
    helps: [
      ['anyone', 'ask for it past all caches: -H "Cache-Control: no-cache", or from another mirror'],
      ['reknit', 'reknit get {url} --checksum sha256:… tells a broken copy from a broken way'],
      ['pip', 'pip --no-cache-dir'],
      ['npm', 'npm cache verify'],
      ['nginx', 'delete that entry of proxy_cache; gzip off behind a proxy that changes lengths'],
    ],
    ask: ['Is the file whole on the server and in every cache (size, digest)?'],
    logs: [
      ['nginx', 'pread() returned only N bytes instead of M; cache file … has too long header'],
      ['squid', 'ERR_READ_ERROR, TCP_SWAPFAIL_MISS'],
    ],
  },
  'keep-alive-race': {
    helps: [
      ['reknit', '--max-idle {idle} (connections.maxIdleMs); a stale connection is replaced at once anyhow'],
      ['curl', 'one curl per request, or --no-keepalive -H "Connection: close"'],
      ['requests', 'session.headers["Connection"] = "close", or Retry(connect=3, read=3)'],
      ['npm', 'npm config set fetch-retries 5'],
      ['git', 'git config http.maxRequests 1'],
      [
        'nginx',
        'keepalive_timeout of the server above that of its clients; towards an upstream: keepalive_timeout below the upstream’s',
      ],
      [
        'anyone',
        'Node.js: new Agent({ keepAliveTimeout: {idleMs} }) of undici; Go: IdleConnTimeout; Java: keepalive time below the server’s',
      ],
    ],
    ask: [
      'What is the idle limit for kept connections, and does the balancer in front have a longer one than the server behind?',
      'Could the server send Keep-Alive: timeout=N, so that clients know?',
    ],
    logs: [
      [
        'nginx',
        'client … closed keepalive connection; upstream: recv() failed (104) while reading response header from upstream',
      ],
      ['haproxy', 'timeout http-keep-alive; termination state SC on reuse (http-reuse)'],
    ],
  },
  'rate-limit': {
    helps: [
      ['reknit', 'waits as told by Retry-After{pause}; --max-connections 1 slows it down'],
      ['curl', 'curl --retry 5 honours Retry-After; --rate 10/m for many URLs'],
      ['pip', 'one index, a cache or mirror of your own: devpi, reknit mirror'],
      ['uv', 'UV_CONCURRENT_DOWNLOADS=1 UV_HTTP_RETRIES=10'],
      ['npm', 'npm config set maxsockets 1'],
      ['requests', 'Retry(5, status_forcelist=[429, 503], respect_retry_after_header=True)'],
      ['nginx', 'limit_req zone=… burst=20 nodelay, if it is yours'],
    ],
    ask: ['What is the limit, per what (address, login), and is there a higher one with a login?'],
    logs: [
      ['nginx', 'limiting requests, excess: … by zone'],
      ['haproxy', 'http_req_rate in stick tables, status 429'],
    ],
  },
  'client-fault': {
    helps: [
      ['anyone', 'use the client that goes well, and look for the version of the other in its list of known bugs'],
      [
        'anyone',
        'compare what they send: curl -v, NODE_DEBUG=http, requests with http.client.HTTPConnection.debuglevel = 1',
      ],
    ],
    ask: [],
    logs: [],
  },
} as const satisfies Partial<Record<CauseId, CauseAdvice>>;
