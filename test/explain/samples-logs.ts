/** curl, wget, git, openssl, and the logs of servers and proxies. */
import type { Sample } from './sample.ts';

const codes = 'curl man page, EXIT CODES; libcurl-errors(3)';

export const logSamples: readonly Sample[] = [
  {
    row: 'curl-5',
    phase: 'resolve',
    by: 'curl',
    documented: codes,
    text: 'curl: (5) Could not resolve proxy: proxy.example.com',
  },
  {
    row: 'dns-name-unknown',
    phase: 'resolve',
    by: 'curl',
    documented: codes,
    text: 'curl: (6) Could not resolve host: nope.example.invalid',
  },
  {
    row: 'errno-refused',
    phase: 'connect',
    by: 'curl',
    documented: codes,
    text: 'curl: (7) Failed to connect to localhost port 8080 after 0 ms: Connection refused',
  },
  {
    row: 'curl-7',
    phase: 'connect',
    by: 'curl',
    documented: codes,
    text: "curl: (7) Failed to connect to api.example.com port 443 after 12 ms: Couldn't connect to server",
  },
  { row: 'curl-16', by: 'curl', documented: codes, text: 'curl: (16) Error in the HTTP2 framing layer' },
  {
    row: 'curl-18',
    phase: 'body',
    by: 'curl',
    documented: codes,
    text: `  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current
                                 Dload  Upload   Total   Spent    Left  Speed
 42  100M   42 42.1M    0     0  9812k      0  0:00:10  0:00:04  0:00:06 9814k
curl: (18) transfer closed with 60817408 bytes remaining to read`,
  },
  {
    row: 'status-server',
    phase: 'wait',
    by: 'curl',
    documented: codes,
    text: 'curl: (22) The requested URL returned error: 503',
  },
  {
    row: 'status-client',
    phase: 'wait',
    by: 'curl',
    documented: codes,
    text: 'curl: (22) The requested URL returned error: 403 Forbidden',
  },
  {
    row: 'curl-28',
    by: 'curl',
    documented: codes,
    text: 'curl: (28) Operation timed out after 30001 milliseconds with 1048576 out of 67108864 bytes received',
    phase: 'body',
  },
  {
    row: 'curl-28-nothing',
    by: 'curl',
    documented: codes,
    text: 'curl: (28) Operation timed out after 30002 milliseconds with 0 bytes received',
  },
  {
    row: 'curl-28-connect',
    phase: 'connect',
    by: 'curl',
    documented: codes,
    text: 'curl: (28) Failed to connect to 10.255.255.1 port 443 after 10002 ms: Timeout was reached',
  },
  {
    row: 'errno-reset',
    phase: 'tls',
    by: 'curl',
    documented: codes,
    text: 'curl: (35) OpenSSL SSL_connect: Connection reset by peer in connection to example.com:443',
  },
  {
    row: 'tls-handshake-lost',
    phase: 'tls',
    by: 'curl',
    documented: codes,
    text: 'curl: (35) OpenSSL SSL_connect: SSL_ERROR_SYSCALL in connection to example.com:443',
  },
  {
    row: 'tls-not-tls',
    phase: 'tls',
    by: 'curl',
    documented: codes,
    text: 'curl: (35) error:0A00010B:SSL routines::wrong version number',
  },
  {
    row: 'tls-alert',
    phase: 'tls',
    by: 'curl',
    documented: codes,
    text: 'curl: (35) error:0A000410:SSL routines::sslv3 alert handshake failure',
  },
  { row: 'curl-52', phase: 'wait', by: 'curl', documented: codes, text: 'curl: (52) Empty reply from server' },
  {
    row: 'errno-broken-pipe',
    by: 'curl',
    documented: codes,
    text: 'curl: (55) Send failure: Broken pipe',
    phase: 'send',
  },
  { row: 'errno-reset', by: 'curl', documented: codes, text: 'curl: (56) Recv failure: Connection reset by peer' },
  {
    row: 'tls-cut',
    by: 'curl',
    documented: codes,
    text: 'curl: (56) OpenSSL SSL_read: error:0A000126:SSL routines::unexpected eof while reading, errno 0',
  },
  {
    row: 'proxy-tunnel-refused',
    phase: 'connect',
    by: 'curl',
    documented: codes,
    text: 'curl: (56) CONNECT tunnel failed, response 403',
  },
  {
    row: 'proxy-unavailable',
    phase: 'connect',
    by: 'curl',
    documented: codes,
    text: 'curl: (56) Received HTTP code 503 from proxy after CONNECT',
  },
  {
    row: 'tls-issuer-unknown',
    phase: 'tls',
    by: 'curl',
    documented: codes,
    text: 'curl: (60) SSL certificate problem: unable to get local issuer certificate\nMore details here: https://curl.se/docs/sslcerts.html',
  },
  {
    row: 'tls-expired',
    phase: 'tls',
    by: 'curl',
    documented: codes,
    text: 'curl: (60) SSL certificate problem: certificate has expired',
  },
  {
    row: 'tls-name',
    phase: 'tls',
    by: 'curl',
    documented: codes,
    text: "curl: (60) SSL: no alternative certificate subject name matches target host name 'wrong.host.example.com'",
  },
  {
    row: 'curl-61',
    phase: 'body',
    by: 'curl',
    documented: codes,
    text: 'curl: (61) Error while processing content unencoding: invalid block type',
  },
  {
    row: 'curl-92',
    by: 'curl',
    documented: codes,
    text: 'curl: (92) HTTP/2 stream 1 was not closed cleanly: INTERNAL_ERROR (err 2)',
  },
  {
    row: 'errno-no-space',
    by: 'curl',
    documented: 'strerror(ENOSPC)',
    text: 'Warning: Failed to write data: No space left on device\ncurl: (23) Failure writing output to destination',
  },
  {
    row: 'wget-closed',
    phase: 'body',
    by: 'wget',
    documented: 'wget src/http.c, "Connection closed at byte"',
    text: '2026-11-22 19:42:35 (1.20 MB/s) - Connection closed at byte 5242880. Retrying.',
  },
  {
    row: 'errno-reset',
    phase: 'body',
    by: 'wget',
    documented: 'wget src/http.c, "Read error at byte"',
    text: '2026-11-22 19:42:35 (1.20 MB/s) - Read error at byte 5242880/67108864 (Connection reset by peer). Retrying.',
  },
  {
    row: 'dns-name-unknown',
    phase: 'resolve',
    by: 'wget',
    documented: 'wget src/host.c, "unable to resolve host address"',
    text: "Resolving nope.example.invalid (nope.example.invalid)... failed: Name or service not known.\nwget: unable to resolve host address 'nope.example.invalid'",
  },
  {
    row: 'wget-no-data',
    phase: 'wait',
    by: 'wget',
    documented: 'wget src/http.c, HEOF "No data received."',
    text: 'HTTP request sent, awaiting response... No data received.\nRetrying.',
  },
  {
    row: 'status-server',
    phase: 'wait',
    by: 'wget',
    documented: 'wget src/http.c, "ERROR %d: %s."',
    text: 'HTTP request sent, awaiting response... 502 Bad Gateway\n2026-11-22 19:42:35 ERROR 502: Bad Gateway.',
  },
  {
    row: 'errno-reset',
    by: 'git',
    documented: 'git remote-curl.c "RPC failed"; pkt-line.c "unexpected disconnect"',
    text: `Cloning into 'linux'...
remote: Enumerating objects: 10236524, done.
error: RPC failed; curl 56 OpenSSL SSL_read: Connection was reset, errno 10054
fetch-pack: unexpected disconnect while reading sideband packet
fatal: early EOF
fatal: index-pack failed`,
    phase: 'body',
  },
  {
    row: 'curl-92',
    phase: 'body',
    by: 'git',
    documented: 'git remote-curl.c; libcurl CURLE_HTTP2_STREAM',
    text: `#13 73.79 error: RPC failed; curl 92 HTTP/2 stream 0 was not closed cleanly: CANCEL (err 8)
#13 73.79 error: 3198 bytes of body are still expected
#13 73.80 fetch-pack: unexpected disconnect while reading sideband packet
#13 73.80 fatal: early EOF
#13 73.80 fatal: index-pack failed`,
  },
  {
    row: 'curl-18',
    phase: 'body',
    by: 'git',
    documented: 'git remote-curl.c; libcurl CURLE_PARTIAL_FILE',
    text: `error: RPC failed; curl 18 transfer closed with outstanding read data remaining
send-pack: unexpected disconnect while reading sideband packet
fatal: the remote end hung up unexpectedly
Everything up-to-date`,
  },
  {
    row: 'curl-16',
    phase: 'body',
    by: 'git',
    documented: 'git remote-curl.c; libcurl CURLE_HTTP2',
    text: `error: RPC failed; curl 16 Error in the HTTP2 framing layer
error: 7462 bytes of body are still expected
fetch-pack: unexpected disconnect while reading sideband packet
fatal: early EOF
fatal: fetch-pack: invalid index-pack output`,
  },
  {
    row: 'git-early-eof',
    phase: 'body',
    by: 'git',
    documented: 'git pkt-line.c, index-pack.c "early EOF"',
    text: 'fatal: the remote end hung up unexpectedly\nfatal: early EOF\nfatal: index-pack failed',
  },
  {
    row: 'dns-name-unknown',
    phase: 'resolve',
    by: 'git',
    documented: 'git http.c "unable to access"',
    text: "fatal: unable to access 'https://git.example.invalid/team/repo.git/': Could not resolve host: git.example.invalid",
  },
  {
    row: 'tls-cut',
    by: 'git',
    documented: 'GnuTLS GNUTLS_E_PREMATURE_TERMINATION',
    text: "fatal: unable to access 'https://github.com/example/repo.git/': gnutls_handshake() failed: The TLS connection was non-properly terminated.",
    phase: 'tls',
  },
  {
    row: 'curl-56',
    by: 'git',
    documented: 'git remote-curl.c; GnuTLS recv error',
    text: 'error: RPC failed; curl 56 GnuTLS recv error (-9): Error decoding the received TLS packet.',
  },
  {
    row: 'git-auth',
    phase: 'wait',
    by: 'git',
    documented: 'git http.c "Authentication failed for"',
    text: "remote: Invalid username or token.\nfatal: Authentication failed for 'https://github.com/example/private.git/'",
  },
  {
    row: 'status-server',
    phase: 'wait',
    by: 'git',
    documented: 'git http.c; libcurl "The requested URL returned error"',
    text: "fatal: unable to access 'https://git.example.com/team/repo.git/': The requested URL returned error: 502",
  },
  {
    row: 'tls-cut',
    by: 'openssl',
    documented: 'OpenSSL 3 SSL_R_UNEXPECTED_EOF_WHILE_READING',
    text: '40E74AF1A37F0000:error:0A000126:SSL routines:ssl3_read_n:unexpected eof while reading:../ssl/record/rec_layer_s3.c:308:',
  },
  {
    row: 'tls-bad-record',
    by: 'openssl',
    documented: 'OpenSSL SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC',
    text: 'error:1408F119:SSL routines:ssl3_get_record:decryption failed or bad record mac',
  },
  {
    row: 'nginx-upstream-closed',
    phase: 'wait',
    by: 'nginx',
    documented: 'nginx src/http/ngx_http_upstream.c',
    text: '2026/11/22 19:42:35 [error] 31#31: *1042 upstream prematurely closed connection while reading response header from upstream, client: 10.0.0.9, server: api.example.com, request: "GET /v1/items HTTP/1.1", upstream: "http://10.0.3.4:8080/v1/items", host: "api.example.com"',
  },
  {
    row: 'errno-refused',
    phase: 'connect',
    by: 'nginx',
    documented: 'nginx src/event/ngx_event_connect.c, "connect() failed"',
    text: '2026/11/22 19:42:35 [error] 31#31: *1042 connect() failed (111: Connection refused) while connecting to upstream, client: 10.0.0.9, server: api.example.com, request: "GET / HTTP/1.1", upstream: "http://10.0.3.4:8080/", host: "api.example.com"',
  },
  {
    row: 'errno-timed-out',
    phase: 'wait',
    by: 'nginx',
    documented: 'nginx src/http/ngx_http_upstream.c, "upstream timed out"',
    text: '2026/11/22 19:42:35 [error] 31#31: *1042 upstream timed out (110: Connection timed out) while reading response header from upstream, client: 10.0.0.9, server: api.example.com, request: "POST /report HTTP/1.1", upstream: "http://10.0.3.4:8080/report"',
  },
  {
    row: 'nginx-body-too-large',
    phase: 'send',
    by: 'nginx',
    documented: 'nginx docs, client_max_body_size',
    text: '2026/11/22 19:42:35 [error] 31#31: *77 client intended to send too large body: 10485761 bytes, client: 10.0.0.9, server: _, request: "POST /upload HTTP/1.1"',
  },
  {
    row: 'nginx-no-live-upstreams',
    phase: 'connect',
    by: 'nginx',
    documented: 'nginx src/http/ngx_http_upstream.c, "no live upstreams"',
    text: '2026/11/22 19:42:35 [error] 31#31: *78 no live upstreams while connecting to upstream, client: 10.0.0.9, server: _, request: "GET / HTTP/1.1", upstream: "http://backend/"',
  },
  {
    row: 'haproxy-server-cut',
    phase: 'body',
    by: 'haproxy',
    documented: 'HAProxy manual 8.5, session state at disconnection: SD',
    text: 'Nov 22 19:42:35 lb haproxy[14389]: 10.0.1.2:33317 [22/Nov/2026:19:42:35.655] http-in static/srv1 10/0/30/69/109 200 2750 - - SD-- 1/1/1/1/0 0/0 {1wt.eu} {} "GET /index.html HTTP/1.1"',
  },
  {
    row: 'haproxy-server-timeout',
    phase: 'wait',
    by: 'haproxy',
    documented: 'HAProxy manual 8.5, session state at disconnection: sH',
    text: 'Nov 22 19:42:35 lb haproxy[14389]: 10.0.1.2:33317 [22/Nov/2026:19:42:05.655] http-in app/srv2 0/0/1/-1/30001 504 194 - - sH-- 1/1/1/1/0 0/0 "GET /slow HTTP/1.1"',
  },
  {
    row: 'squid-connect-fail',
    phase: 'connect',
    by: 'squid',
    documented: 'Squid wiki, SquidLogs: TCP_TUNNEL, status 503; errors/templates/ERR_CONNECT_FAIL',
    text: '1763840555.123  60012 10.0.0.9 TCP_TUNNEL/503 0 CONNECT files.example.com:443 - HIER_NONE/- -',
  },
  {
    row: 'squid-denied',
    phase: 'connect',
    by: 'squid',
    documented: 'Squid wiki, SquidLogs: TCP_DENIED',
    text: '1763840555.123      0 10.0.0.9 TCP_DENIED/403 3912 CONNECT files.example.com:443 - HIER_NONE/- text/html',
  },
  {
    row: 'errno-unreachable',
    by: 'kernel',
    documented: 'strerror(EHOSTUNREACH)',
    text: 'connect to 10.1.2.3 port 443 failed: No route to host',
    phase: 'connect',
  },
  {
    row: 'errno-too-many-files',
    by: 'kernel',
    documented: 'strerror(EMFILE)',
    phase: 'connect',
    text: 'accept4: too many open files; dial tcp 10.0.0.1:80: socket: too many open files',
  },
];
