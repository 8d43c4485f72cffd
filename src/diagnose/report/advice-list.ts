/** What helps against each cause, by tool, and what the operator should look for: data, with numbers filled in. */
import type { CauseId } from '../inference/cause-list.ts';

export type AdviceTool = 'reknit' | 'curl' | 'pip' | 'uv' | 'npm' | 'git' | 'requests' | 'nginx' | 'anyone';

/**
 * `{url}`, `{host}`, `{atOnce}`, `{idle}`, `{bytes}`, `{seconds}`, `{upload}`, `{header}`, `{issuer}`, `{proxy}`, `{address}`, `{pause}`
 * stand for what was measured.
 */
export interface CauseAdvice {
  readonly helps: readonly (readonly [tool: AdviceTool, text: string])[];
  /** Questions to the operator of the server, or of who is between. */
  readonly ask: readonly string[];
  /** What to search for in logs. */
  readonly logs: readonly (readonly [program: 'nginx' | 'haproxy' | 'squid', text: string])[];
}

const resume: CauseAdvice['helps'] = [
  ['reknit', 'reknit get {url} (resumes from the byte reached, at every cut)'],
  [
    'curl',
    'curl -fL --retry 20 --retry-all-errors -C - -O {url} (begins anew where ranges are refused; check a digest)',
  ],
  ['pip', 'pip --retries 10 --resume-retries 10 (pip 25.1 and later)'],
  ['uv', 'UV_HTTP_RETRIES=10 UV_CONCURRENT_DOWNLOADS=1'],
  ['npm', 'npm config set fetch-retries 10'],
  ['git', 'git clone --filter=blob:none, or --depth 1 and git fetch --unshallow: smaller pieces'],
  ['requests', 'a loop over stream=True with Range: bytes=N- and If-Range, since urllib3.Retry ends at the headers'],
];

const retry: CauseAdvice['helps'] = [
  ['reknit', 'reknit run -- COMMAND, or createClient({ retry: { maxAttempts: 8 } })'],
  ['curl', 'curl --retry 8 --retry-all-errors --retry-connrefused'],
  ['pip', 'pip --retries 10 --timeout 60'],
  ['uv', 'UV_HTTP_RETRIES=10 UV_HTTP_TIMEOUT=60'],
  ['npm', 'npm config set fetch-retries 8 fetch-retry-mintimeout 5000'],
  ['requests', 'HTTPAdapter(max_retries=Retry(8, backoff_factor=1, status_forcelist=[429, 502, 503, 504]))'],
];

const trust: CauseAdvice['helps'] = [
  ['reknit', '--cacert issuer.pem, or NODE_EXTRA_CA_CERTS=issuer.pem'],
  ['curl', 'curl --cacert issuer.pem'],
  ['pip', 'pip --cert issuer.pem, or PIP_CERT; pip 24.2 and later uses the system’s store by itself'],
  ['uv', 'uv --system-certs (older: --native-tls), or SSL_CERT_FILE=issuer.pem'],
  ['npm', 'npm config set cafile issuer.pem'],
  ['git', 'git config http.sslCAInfo issuer.pem'],
  ['requests', 'verify="issuer.pem", or REQUESTS_CA_BUNDLE'],
];

export const adviceByCause: Readonly<Record<CauseId, CauseAdvice>> = {
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
  'connection-limit': {
    helps: [
      [
        'reknit',
        'reknit get --max-connections {atOnce} (in a program: connections.maxPerOrigin); downloads of one host share it',
      ],
      ['uv', 'UV_CONCURRENT_DOWNLOADS={atOnce}'],
      ['npm', 'npm config set maxsockets {atOnce}'],
      ['git', 'git config http.maxRequests {atOnce}'],
      ['curl', 'curl --parallel-max {atOnce}'],
      ['requests', 'HTTPAdapter(pool_connections=1, pool_maxsize={atOnce}, pool_block=True)'],
      ['nginx', 'limit_conn ZONE N, if it is yours'],
    ],
    ask: [
      'What is the limit of connections or requests per client address, and is it shared by all who are behind our NAT?',
    ],
    logs: [
      ['nginx', 'limiting connections by zone "…"'],
      ['haproxy', 'src_conn_cur, maxconn; termination state PR'],
      ['squid', 'TCP_DENIED/403 by an acl of type maxconn'],
    ],
  },
  'size-limit': {
    helps: [...resume, ['nginx', 'proxy_max_temp_file_size 0, and proxy_buffering off where nginx is between']],
    ask: [
      'Does a scanner, firewall or proxy have a limit near {bytes} for one answer or one connection?',
      'Can {host} be excepted from it?',
    ],
    logs: [
      ['squid', 'reply_body_max_size: ERR_TOO_BIG'],
      ['nginx', 'upstream prematurely closed connection while reading upstream'],
      ['haproxy', 'termination states SD, CD'],
    ],
  },
  'time-limit': {
    helps: [...resume, ['nginx', 'proxy_read_timeout, send_timeout; gunicorn --timeout, uwsgi harakiri behind it']],
    ask: [
      'Which time limit near {seconds} holds for a whole answer (not for a silence): balancer, worker time limit, function limit?',
    ],
    logs: [
      ['haproxy', 'termination states sD, cD, and the timer Tt near {seconds}'],
      ['nginx', 'upstream timed out (110) while reading upstream'],
      ['squid', 'TCP_MISS_ABORTED, with its elapsed time'],
    ],
  },
  'idle-limit': {
    helps: [
      ['reknit', 'resumes such cuts by itself; --max-idle 1s for kept connections'],
      ['curl', 'curl --keepalive-time 20'],
      [
        'anyone',
        'TCP keep-alive below the limit: sysctl net.ipv4.tcp_keepalive_time=60 for programs that switch it on',
      ],
      ['nginx', 'proxy_read_timeout and send_timeout above the longest pause; proxy_socket_keepalive on'],
      ['requests', 'read without pauses: download first, work afterwards'],
    ],
    ask: [
      'After how much silence does a firewall, NAT or balancer forget a connection, and does it say so (a reset) or drop in silence?',
    ],
    logs: [
      ['haproxy', 'termination states cD, sD; timeout client, timeout server'],
      ['nginx', 'client timed out (110) while sending to client'],
    ],
  },
  stalls: {
    helps: [
      ['reknit', 'reknit get {url} --stall-timeout 5s (notices silence, and resumes)'],
      ['curl', 'curl --speed-limit 1000 --speed-time 10 --retry 10 -C -'],
      ['git', 'git config http.lowSpeedLimit 1000 http.lowSpeedTime 10'],
      ['uv', 'UV_HTTP_TIMEOUT=15 UV_HTTP_RETRIES=10'],
      ['pip', 'pip --timeout 15 --retries 10'],
      ['anyone', 'a path with a smaller MTU stops large packets alone: try ip link set dev DEV mtu 1400'],
    ],
    ask: [
      'Does the server still send at these instants (tcpdump), or does it hang?',
      'Are ICMP “fragmentation needed” messages let through?',
    ],
    logs: [
      ['nginx', 'client timed out (110: Connection timed out) while sending response to client'],
      ['haproxy', 'termination states cD, sD'],
    ],
  },
  'random-cuts': {
    helps: [...resume],
    ask: [
      'Do workers crash or get killed at these instants?',
      'Does the way lose packets (mtr -wz {host}; nstat TcpRetransSegs)?',
      'Is a balancer drained or reloaded often?',
    ],
    logs: [
      ['nginx', 'upstream prematurely closed connection; recv() failed (104: Connection reset by peer)'],
      ['haproxy', 'termination states SD, CD'],
      ['squid', 'TCP_MISS_ABORTED'],
    ],
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
  'content-replaced': {
    helps: [
      ['anyone', 'open {url} in a browser: a portal shows its login, a filter its reason'],
      ['anyone', 'use https: what is encrypted cannot be replaced in silence'],
      ['reknit', 'reknit get {url} --checksum sha256:… never believes such an answer'],
      ['anyone', 'ask for an exception for {host}'],
    ],
    ask: ['Does a content filter or scanner hold this type or size of file back?'],
    logs: [
      ['squid', 'TCP_DENIED/200, url_rewrite or icap lines'],
      ['nginx', 'access.log: was the request there at all, and with how many bytes?'],
    ],
  },
  'proxy-refuses': {
    helps: [
      ['anyone', 'with a login: http://USER:PASSWORD@{proxy}; without the proxy: NO_PROXY={host}'],
      ['reknit', '--proxy URL, or --proxy none'],
      ['curl', 'curl --proxy-user USER, --noproxy {host}'],
      ['pip', 'pip --proxy URL'],
      ['npm', 'npm config set proxy URL'],
      ['git', 'git config http.proxy URL'],
    ],
    ask: [
      'Which rule refuses {host} and this port for our address?',
      'Is there a limit of connections per client (acl maxconn)?',
    ],
    logs: [['squid', 'TCP_DENIED/403 or /407 for CONNECT {host}']],
  },
  'proxy-fails': {
    helps: [['anyone', 'without the proxy: NO_PROXY={host}, if the network allows it'], ...retry.slice(0, 3)],
    ask: [
      'Can the proxy reach {host} itself, and resolve its name?',
      'Is it at its limit of open files or connections?',
    ],
    logs: [
      [
        'squid',
        'TCP_MISS/503 or TCP_TUNNEL/503 with ERR_CONNECT_FAIL, ERR_DNS_FAIL; “WARNING! Your cache is running out of filedescriptors”',
      ],
    ],
  },
  'firewall-drops': {
    helps: [
      [
        'anyone',
        'is a VPN needed? is the address right? another port of the same host (ssh, https) tells host from port',
      ],
      ['curl', 'curl --connect-timeout 5 fails sooner'],
      ['uv', 'UV_HTTP_TIMEOUT=10'],
    ],
    ask: [
      'Is {address} reachable from our address, and is this port open in every firewall between?',
      'Is the queue of the listening socket full (nstat TcpExtListenDrops)?',
    ],
    logs: [
      ['haproxy', 'nothing: the connection never came'],
      ['nginx', 'nothing: the connection never came'],
    ],
  },
  'no-route': {
    helps: [
      ['anyone', 'ip route get {address} says what the system thinks; is the VPN up?'],
      ['curl', 'curl -4 or -6, if one family is not routed here'],
      ['reknit', 'tries every address of a name by itself'],
    ],
    ask: ['Is the network of {address} routed to us?'],
    logs: [],
  },
  'name-not-found': {
    helps: [
      [
        'anyone',
        'check the spelling; for internal names: is the VPN up, and does its resolver come first (resolvectl status)?',
      ],
      ['anyone', 'in containers: --dns, or the search domain of the host'],
    ],
    ask: ['Which resolver knows this name?'],
    logs: [],
  },
  'name-flaps': {
    helps: [
      ['anyone', 'put a resolver that works first in /etc/resolv.conf, and options timeout:1 attempts:3'],
      ['anyone', 'a local cache (systemd-resolved, unbound) asks less often'],
      ...retry.slice(0, 3),
      ['nginx', 'resolver … valid=30s; names in proxy_pass are looked up once, at the start'],
    ],
    ask: ['Which of the resolvers fails at these instants?'],
    logs: [
      ['squid', 'ERR_DNS_FAIL'],
      ['nginx', 'could not be resolved (110: Operation timed out)'],
    ],
  },
  'address-dead': {
    helps: [
      ['curl', 'curl --happy-eyeballs-timeout-ms 200, or -4 / -6'],
      ['reknit', 'tries the others by itself'],
      ['requests', 'urllib3 tries one address behind the other: a connect timeout of 3 s makes it quick'],
      ['anyone', 'take the dead address out of the name'],
    ],
    ask: ['Is every address of {host} in service, for IPv4 and IPv6?'],
    logs: [],
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
  'tls-mismatch': {
    helps: [
      ['curl', 'curl -v --tlsv1.2 {url}, then --tls-max 1.2'],
      ['anyone', 'is the port right? plain HTTP on it looks like this: try http:'],
      [
        'anyone',
        'old servers: OPENSSL_CONF with MinProtocol = TLSv1 and CipherString = DEFAULT@SECLEVEL=0, for this one alone',
      ],
    ],
    ask: ['Which TLS versions and ciphers are allowed, and is a client certificate wanted?'],
    logs: [
      ['nginx', 'SSL_do_handshake() failed (… no shared cipher, unsupported protocol, wrong version number)'],
      ['haproxy', 'SSL handshake failure'],
    ],
  },
  'tls-untrusted': {
    helps: [
      [
        'anyone',
        'who is “{issuer}”? your company’s firewall or authority: get its certificate from there, not from the connection',
      ],
      ...trust,
    ],
    ask: [
      'Does the server send the whole chain (openssl s_client -showcerts), without its root?',
      'Is TLS decrypted on the way, and may {host} be excepted?',
    ],
    logs: [['nginx', 'ssl_certificate must hold the server’s certificate and then its intermediates']],
  },
  'tls-certificate': {
    helps: [
      ['anyone', 'check the clock of this machine (date -u) and the name in the URL'],
      ['curl', 'curl -v {url} shows name and dates of the certificate'],
      ['anyone', 'do not switch the check off: whoever sits between would be trusted, too'],
    ],
    ask: ['When is the certificate renewed, and does every server behind the balancer have the new one?'],
    logs: [['nginx', 'reload after the renewal: nginx -s reload']],
  },
  'tls-cut': {
    helps: [
      ['curl', 'curl -v --tls-max 1.2 {url}: old middleboxes break on TLS 1.3'],
      ['anyone', 'from another network: a filter on the server’s name (SNI) cuts here alone'],
      ...retry.slice(0, 3),
    ],
    ask: ['Does a firewall filter by server name?', 'Is the server short of CPU for handshakes?'],
    logs: [
      ['nginx', 'peer closed connection in SSL handshake (104: Connection reset by peer)'],
      ['haproxy', 'Connection closed during SSL handshake'],
    ],
  },
  'http2-trouble': {
    helps: [
      ['reknit', 'HTTP/1.1 is its default: leave --http2 out'],
      ['curl', 'curl --http1.1'],
      ['git', 'git config http.version HTTP/1.1'],
      ['nginx', 'http2_max_concurrent_streams, http2_recv_timeout; keepalive_requests ends a connection by GOAWAY'],
      ['anyone', 'Go: GODEBUG=http2client=0; httpx: http2=False'],
    ],
    ask: ['Which hop ends the streams, and with which code?'],
    logs: [
      ['nginx', 'client sent … stream, while processing HTTP/2 connection'],
      ['haproxy', 'show errors; h2 RST_STREAM counters in show stat'],
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
};
