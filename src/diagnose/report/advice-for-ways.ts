/** Advice where the matter lies between: names, routes, TLS, proxies, limits; its numbers to be filled in: data. */

import type { CauseId } from '../inference/cause-list.ts';
import { resume, retry, trust } from './advice-settings.ts';
import type { CauseAdvice } from './cause-advice.ts';

export const adviceForWays = {
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
} as const satisfies Partial<Record<CauseId, CauseAdvice>>;
