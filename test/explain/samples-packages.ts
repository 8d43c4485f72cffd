/** Package managers: pip, uv, cargo, npm, pnpm, yarn, apt, docker, go, Java's. */
import type { Sample } from './sample.ts';

export const packageSamples: readonly Sample[] = [
  {
    row: 'errno-reset',
    by: 'pip',
    documented: 'pip docs, "pip install" retries; urllib3 util/retry.py "Retrying (%r) after connection broken by"',
    text: `Collecting numpy==2.1.0
WARNING: Retrying (Retry(total=4, connect=None, read=None, redirect=None, status=None)) after connection broken by 'ProtocolError('Connection aborted.', ConnectionResetError(104, 'Connection reset by peer'))': /simple/numpy/
WARNING: Retrying (Retry(total=3, connect=None, read=None, redirect=None, status=None)) after connection broken by 'ProtocolError('Connection aborted.', ConnectionResetError(104, 'Connection reset by peer'))': /simple/numpy/
WARNING: Retrying (Retry(total=2, connect=None, read=None, redirect=None, status=None)) after connection broken by 'ProtocolError('Connection aborted.', ConnectionResetError(104, 'Connection reset by peer'))': /simple/numpy/
ERROR: Could not find a version that satisfies the requirement numpy==2.1.0 (from versions: none)
ERROR: No matching distribution found for numpy==2.1.0`,
  },
  {
    row: 'python-incomplete-read',
    phase: 'body',
    by: 'pip',
    documented: 'pip _vendor/urllib3/response.py',
    text: `  Downloading torch-2.4.0-cp311-cp311-manylinux1_x86_64.whl (797.2 MB)
     ━━━━━━━━━━━━━━━━━━━╸                     402.1/797.2 MB 11.2 MB/s eta 0:00:36
ERROR: Exception:
Traceback (most recent call last):
  File "/usr/lib/python3.11/site-packages/pip/_vendor/urllib3/response.py", line 438, in _error_catcher
    yield
pip._vendor.urllib3.exceptions.IncompleteRead: IncompleteRead(421638144 bytes read, 414293016 more expected)

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/usr/lib/python3.11/site-packages/pip/_internal/cli/base_command.py", line 180, in exc_logging_wrapper
    status = run_func(*args)
pip._vendor.urllib3.exceptions.ProtocolError: ('Connection broken: IncompleteRead(421638144 bytes read, 414293016 more expected)', IncompleteRead(421638144 bytes read, 414293016 more expected))`,
  },
  {
    row: 'python-read-timeout',
    by: 'pip',
    documented: 'pip docs, --timeout; urllib3 ReadTimeoutError',
    text: "pip._vendor.urllib3.exceptions.ReadTimeoutError: HTTPSConnectionPool(host='files.pythonhosted.org', port=443): Read timed out.",
  },
  {
    row: 'pip-hash-mismatch',
    phase: 'body',
    by: 'pip',
    documented: 'pip docs, secure installs: hash-checking mode',
    text: `ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE. If you have updated the package versions, please update the hashes. Otherwise, examine the package contents carefully; someone may have tampered with them.
    requests==2.32.0 from https://files.pythonhosted.org/packages/aa/bb/requests-2.32.0-py3-none-any.whl:
        Expected sha256 0000000000000000000000000000000000000000000000000000000000000000
             Got        e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855`,
  },
  {
    row: 'pip-no-version',
    by: 'pip',
    documented: 'pip _internal/resolution/resolvelib/factory.py',
    text: 'ERROR: Could not find a version that satisfies the requirement nopkg (from versions: none)\nERROR: No matching distribution found for nopkg',
  },
  {
    row: 'dns-no-answer',
    phase: 'resolve',
    by: 'pip',
    documented: 'urllib3 NameResolutionError; glibc gai_strerror(EAI_AGAIN)',
    text: "WARNING: Retrying (Retry(total=0, connect=None, read=None, redirect=None, status=None)) after connection broken by 'NewConnectionError('<pip._vendor.urllib3.connection.HTTPSConnection object at 0x7f>: Failed to establish a new connection: [Errno -3] Temporary failure in name resolution')': /simple/flask/",
  },
  {
    row: 'proxy-tunnel-refused',
    phase: 'connect',
    by: 'pip',
    documented: 'Python http/client.py, "Tunnel connection failed"',
    text: "WARNING: Retrying (Retry(total=4, connect=None, read=None, redirect=None, status=None)) after connection broken by 'ProxyError('Cannot connect to proxy.', OSError('Tunnel connection failed: 403 Forbidden'))': /simple/pip/",
  },
  {
    row: 'proxy-login',
    phase: 'connect',
    by: 'pip',
    documented: 'Python http/client.py, "Tunnel connection failed"',
    text: "ProxyError('Cannot connect to proxy.', OSError('Tunnel connection failed: 407 Proxy Authentication Required'))",
  },
  {
    row: 'errno-reset',
    phase: 'body',
    by: 'uv',
    documented: 'reqwest "error decoding response body"; hyper "error reading a body from connection"; std::io::Error',
    text: `  × Failed to download \`torch==2.4.0\`
  ├─▶ Failed to extract archive: torch-2.4.0-cp311-cp311-manylinux1_x86_64.whl
  ├─▶ I/O operation failed during extraction
  ├─▶ error decoding response body
  ├─▶ request or response body error
  ├─▶ error reading a body from connection
  ╰─▶ Connection reset by peer (os error 104)`,
  },
  {
    row: 'errno-reset',
    phase: 'connect',
    by: 'uv',
    documented: 'hyper-util "client error (Connect)"',
    text: `error: Failed to fetch: \`https://pypi.org/simple/numpy/\`
  Caused by: Request failed after 3 retries
  Caused by: error sending request
  Caused by: client error (Connect)
  Caused by: Connection reset by peer (os error 54)`,
  },
  {
    row: 'hyper-eof-before-length',
    phase: 'body',
    by: 'uv',
    documented: 'hyper src/proto/h1/decode.rs, IncompleteBody',
    text: `error: Failed to fetch: \`https://files.pythonhosted.org/packages/scipy-1.14.0.whl\`
  Caused by: error decoding response body
  Caused by: request or response body error
  Caused by: error reading a body from connection
  Caused by: end of file before message length reached`,
  },
  {
    row: 'rust-h2-stream',
    by: 'uv',
    documented: 'h2 src/frame/reason.rs: "unspecific protocol error detected"',
    text: `  Caused by: error decoding response body
  Caused by: request or response body error
  Caused by: error reading a body from connection
  Caused by: stream error received: unspecific protocol error detected`,
    phase: 'body',
  },
  {
    row: 'tls-issuer-unknown',
    phase: 'tls',
    by: 'uv',
    documented: 'rustls CertificateError::UnknownIssuer; uv docs, TLS certificates',
    text: `error: Failed to fetch: \`https://pypi.example.com/simple/six/\`
  Caused by: Request failed after 3 retries
  Caused by: error sending request for url (https://pypi.example.com/simple/six/)
  Caused by: client error (Connect)
  Caused by: invalid peer certificate: UnknownIssuer`,
  },
  {
    row: 'rust-timeout',
    by: 'uv',
    documented: 'reqwest error.rs TimedOut "operation timed out"; uv docs UV_HTTP_TIMEOUT',
    text: 'error: Failed to download distribution due to network timeout. Try increasing UV_HTTP_TIMEOUT (current value: 30s).',
  },
  {
    row: 'dns-no-answer',
    phase: 'resolve',
    by: 'rust reqwest',
    documented: 'hyper-util connect/dns.rs "dns error"; glibc gai_strerror',
    text: 'error sending request for url (https://api.example.com/): client error (Connect): dns error: failed to lookup address information: Temporary failure in name resolution',
  },
  {
    row: 'hyper-closed-before-message',
    phase: 'wait',
    by: 'rust hyper',
    documented: 'hyper error.rs, IncompleteMessage "connection closed before message completed"',
    text: 'Error: error sending request for url (http://127.0.0.1:8080/): connection closed before message completed',
  },
  {
    row: 'errno-refused',
    phase: 'connect',
    by: 'rust reqwest',
    documented: 'hyper-util "tcp connect error"; std::io::ErrorKind::ConnectionRefused',
    text: 'reqwest::Error { kind: Request, url: "http://127.0.0.1:1/", source: hyper_util::client::legacy::Error(Connect, ConnectError("tcp connect error", 127.0.0.1:1, Os { code: 111, kind: ConnectionRefused, message: "Connection refused" })) }',
  },
  {
    row: 'cargo-timeout',
    by: 'cargo',
    documented: 'cargo src/cargo/core/package.rs; cargo book, net.retry, http.timeout',
    text: 'warning: spurious network error (2 tries remaining): [28] Timeout was reached (download of `im v12.3.4` failed to transfer more than 10 bytes in 30s)',
  },
  {
    row: 'errno-reset',
    by: 'cargo',
    documented: 'cargo src/cargo/util/network/retry.rs "spurious network error"',
    text: `warning: spurious network error (3 tries remaining): [56] Failure when receiving data from the peer (OpenSSL SSL_read: Connection reset by peer, errno 104)
error: failed to download from \`https://static.crates.io/crates/serde/1.0.200/download\``,
  },
  {
    row: 'status-server',
    phase: 'wait',
    by: 'cargo',
    documented: 'cargo src/cargo/core/package.rs "failed to get 200 response"',
    text: 'error: failed to download from `https://crates.io/api/v1/crates/core-foundation/0.6.4/download`\n\nCaused by:\n  failed to get 200 response from `https://crates.io/api/v1/crates/core-foundation/0.6.4/download`, got 502',
  },
  {
    row: 'errno-reset',
    by: 'npm',
    documented: 'npm docs, common errors; npm lib/utils/error-message.js',
    text: `npm ERR! code ECONNRESET
npm ERR! errno ECONNRESET
npm ERR! network Invalid response body while trying to fetch https://registry.npmjs.org/left-pad: aborted
npm ERR! network This is a problem related to network connectivity.
npm ERR! network In most cases you are behind a proxy or have bad network settings.`,
    phase: 'body',
  },
  {
    row: 'dns-name-unknown',
    phase: 'resolve',
    by: 'npm',
    documented: 'npm lib/utils/error-message.js, ENOTFOUND',
    text: `npm error code ENOTFOUND
npm error syscall getaddrinfo
npm error errno ENOTFOUND
npm error network request to https://registry.npmjs.example/left-pad failed, reason: getaddrinfo ENOTFOUND registry.npmjs.example
npm error network This is a problem related to network connectivity.`,
  },
  {
    row: 'npm-integrity',
    phase: 'body',
    by: 'npm',
    documented: 'ssri EINTEGRITY; npm docs, common errors',
    text: 'npm error code EINTEGRITY\nnpm error sha512-AAAA== integrity checksum failed when using sha512: wanted sha512-AAAA== but got sha512-BBBB==. (12345 bytes)',
  },
  {
    row: 'status-client',
    phase: 'wait',
    by: 'npm',
    documented: 'npm-registry-fetch check-response.js, E404',
    text: 'npm error code E404\nnpm error 404 Not Found - GET https://registry.npmjs.org/@acme%2fnope - Not found',
  },
  {
    row: 'tls-issuer-unknown',
    phase: 'tls',
    by: 'npm',
    documented: 'npm docs, common errors: SELF_SIGNED_CERT_IN_CHAIN',
    text: 'npm error code SELF_SIGNED_CERT_IN_CHAIN\nnpm error errno SELF_SIGNED_CERT_IN_CHAIN\nnpm error request to https://registry.npmjs.org/left-pad failed, reason: self-signed certificate in certificate chain',
  },
  {
    row: 'node-socket-timeout',
    by: 'pnpm',
    documented: 'agentkeepalive ERR_SOCKET_TIMEOUT; pnpm fetching/fetch "Will retry in"',
    text: ' WARN  GET https://registry.npmjs.org/@babel%2Fcore error (ERR_SOCKET_TIMEOUT). Will retry in 10 seconds. 2 retries left.',
  },
  {
    row: 'errno-timed-out',
    by: 'pnpm',
    documented: 'pnpm fetching/fetch "Will retry in"',
    text: ` WARN  GET https://registry.npmjs.org/cron-parser error (ETIMEDOUT). Will retry in 10 seconds. 2 retries left.
 ERR_PNPM_META_FETCH_FAIL  GET https://registry.npmjs.org/cron-parser: request to https://registry.npmjs.org/cron-parser failed, reason: connect ETIMEDOUT 104.16.1.34:443`,
    phase: 'connect',
  },
  {
    row: 'errno-reset',
    by: 'yarn',
    documented: 'yarn 1 src/reporters/lang/en.js, offlineRetry',
    text: `yarn install v1.22.22
[1/4] Resolving packages...
[2/4] Fetching packages...
info There appears to be trouble with your network connection. Retrying...
info There appears to be trouble with your network connection. Retrying...
error An unexpected error occurred: "https://registry.yarnpkg.com/aws-sdk/-/aws-sdk-2.328.0.tgz: read ECONNRESET".`,
  },
  {
    row: 'yarn-trouble',
    by: 'yarn',
    documented: 'yarn 1 src/reporters/lang/en.js, offlineRetry',
    text: 'info There appears to be trouble with your network connection. Retrying...',
  },
  {
    row: 'errno-timed-out',
    by: 'yarn',
    documented: 'request.js README, timeouts: ESOCKETTIMEDOUT',
    text: 'error Error: https://registry.yarnpkg.com/date-fns/-/date-fns-2.30.0.tgz: ESOCKETTIMEDOUT',
  },
  {
    row: 'apt-size-mismatch',
    phase: 'body',
    by: 'apt',
    documented: 'apt apt-pkg/acquire-item.cc, "File has unexpected size"',
    text: 'E: Failed to fetch http://deb.debian.org/debian/dists/bookworm/main/binary-amd64/Packages.xz  File has unexpected size (15956 != 15952). Mirror sync in progress? [IP: 151.101.2.132 80]',
  },
  {
    row: 'apt-hash-mismatch',
    phase: 'body',
    by: 'apt',
    documented: 'apt apt-pkg/acquire-item.cc, "Hash Sum mismatch"',
    text: 'W: Failed to fetch http://archive.ubuntu.com/ubuntu/dists/jammy-updates/main/binary-amd64/Packages  Hash Sum mismatch',
  },
  {
    row: 'dns-no-answer',
    phase: 'resolve',
    by: 'apt',
    documented: 'apt methods/connect.cc, "Temporary failure resolving"',
    text: "Err:1 http://deb.debian.org/debian bookworm InRelease\n  Temporary failure resolving 'deb.debian.org'\nW: Failed to fetch http://deb.debian.org/debian/dists/bookworm/InRelease  Temporary failure resolving 'deb.debian.org'\nW: Some index files failed to download. They have been ignored, or old ones used instead.",
  },
  {
    row: 'apt-connection-failed',
    by: 'apt',
    documented: 'apt methods/http.cc, "Connection failed"',
    text: 'E: Failed to fetch http://archive.ubuntu.com/ubuntu/pool/main/c/curl/curl_8.5.0-2_amd64.deb  Connection failed [IP: 185.125.190.36 80]',
  },
  {
    row: 'apt-server-closed',
    by: 'apt',
    documented: 'apt methods/http.cc, "Error reading from server. Remote end closed connection"',
    text: 'E: Failed to fetch http://deb.debian.org/debian/pool/main/g/git/git_2.39.2_amd64.deb  Error reading from server. Remote end closed connection [IP: 151.101.2.132 80]',
  },
  {
    row: 'tls-handshake-timeout',
    phase: 'tls',
    by: 'docker',
    documented: 'Go net/http transport.go, "TLS handshake timeout"',
    text: 'error pulling image configuration: Get https://registry-1.docker.io/v2/library/redis/blobs/sha256:9b188f5f: net/http: TLS handshake timeout',
  },
  {
    row: 'errno-reset',
    by: 'docker',
    documented: 'Go net.OpError; docker distribution "download failed after attempts"',
    text: 'error pulling image configuration: download failed after attempts=6: read tcp 192.168.1.100:43216->203.0.113.161:443: read: connection reset by peer',
  },
  {
    row: 'docker-rate-limit',
    phase: 'wait',
    by: 'docker',
    documented: 'Docker Hub docs, usage and limits: toomanyrequests',
    text: 'Error response from daemon: toomanyrequests: You have reached your pull rate limit. You may increase the limit by authenticating and upgrading: https://www.docker.com/increase-rate-limit',
  },
  {
    row: 'go-waiting-for-connection',
    phase: 'connect',
    by: 'docker',
    documented: 'Go net/http transport.go, "request canceled while waiting for connection"',
    text: 'Error response from daemon: Get "https://registry-1.docker.io/v2/": net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)',
  },
  {
    row: 'go-client-timeout',
    phase: 'wait',
    by: 'go',
    documented: 'Go net/http client.go, "Client.Timeout exceeded while awaiting headers"',
    text: 'Get "https://api.example.com/v1/items": context deadline exceeded (Client.Timeout exceeded while awaiting headers)',
  },
  {
    row: 'go-dial-timeout',
    phase: 'connect',
    by: 'go',
    documented: 'Go net.OpError, os.ErrDeadlineExceeded "i/o timeout"',
    text: 'go: github.com/gin-gonic/gin@v1.9.1: Get "https://proxy.golang.org/github.com/gin-gonic/gin/@v/v1.9.1.mod": dial tcp 142.250.206.209:443: i/o timeout',
  },
  {
    row: 'go-h2-stream',
    by: 'go',
    documented: 'golang.org/x/net/http2 errors.go, StreamError',
    text: 'main.go:22:2: github.com/shopify/sarama@v1.29.1: stream error: stream ID 5; INTERNAL_ERROR; received from peer',
  },
  {
    row: 'go-unexpected-eof',
    phase: 'body',
    by: 'go',
    documented: 'Go io.ErrUnexpectedEOF; net/http body.Read',
    text: '2026/11/22 19:42:35 copy https://dl.example.com/big.tar: unexpected EOF',
  },
  {
    row: 'go-eof',
    phase: 'wait',
    by: 'go',
    documented: 'Go net/http transport.go: io.EOF before a response',
    text: 'Post "https://api.example.com/v1/jobs": EOF',
  },
  {
    row: 'tls-issuer-unknown',
    phase: 'tls',
    by: 'go',
    documented: 'Go crypto/x509 UnknownAuthorityError',
    text: 'Get "https://registry.internal/v2/": tls: failed to verify certificate: x509: certificate signed by unknown authority',
  },
  {
    row: 'dns-name-unknown',
    phase: 'resolve',
    by: 'go',
    documented: 'Go net.DNSError "no such host"',
    text: 'dial tcp: lookup api.example.invalid on 127.0.0.53:53: no such host',
  },
  {
    row: 'tls-not-tls',
    phase: 'tls',
    by: 'go',
    documented: 'Go net/http "server gave HTTP response to HTTPS client"',
    text: 'Error response from daemon: Get "https://registry.local:5000/v2/": http: server gave HTTP response to HTTPS client',
  },
  {
    row: 'errno-reset',
    by: 'java',
    documented: 'JDK java.net.SocketException',
    text: `org.gradle.internal.resource.transport.http.HttpRequestException: Could not GET 'https://repo1.maven.org/maven2/a/b/1.0/b-1.0.pom'.
	at org.gradle.internal.resource.transport.http.HttpClientHelper.createHttpRequestException(HttpClientHelper.java:167)
Caused by: java.net.SocketException: Connection reset
	at java.base/sun.nio.ch.NioSocketImpl.implRead(NioSocketImpl.java:328)
	... 27 more`,
  },
  {
    row: 'tls-issuer-unknown',
    phase: 'tls',
    by: 'java',
    documented: 'JDK sun.security.validator.ValidatorException',
    text: 'Caused by: javax.net.ssl.SSLHandshakeException: PKIX path building failed: sun.security.provider.certpath.SunCertPathBuilderException: unable to find valid certification path to requested target',
  },
  {
    row: 'java-premature-end',
    phase: 'body',
    by: 'java',
    documented: 'Apache HttpClient ContentLengthInputStream',
    text: 'org.apache.http.ConnectionClosedException: Premature end of Content-Length delimited message body (expected: 28,466,331; received: 7,077,888)',
  },
  {
    row: 'java-read-timeout',
    by: 'java',
    documented: 'JDK java.net.SocketTimeoutException',
    text: 'Could not transfer artifact org.example:lib:jar:1.0 from/to central (https://repo1.maven.org/maven2): java.net.SocketTimeoutException: Read timed out',
  },
  {
    row: 'dns-name-unknown',
    phase: 'resolve',
    by: 'java',
    documented: 'JDK java.net.UnknownHostException',
    text: 'Caused by: java.net.UnknownHostException: repo.example.invalid: Name or service not known',
  },
  {
    row: 'java-no-response',
    phase: 'wait',
    by: 'java',
    documented: 'Apache HttpClient NoHttpResponseException',
    text: 'org.apache.http.NoHttpResponseException: repo.example.com:443 failed to respond',
  },
  {
    row: 'tls-handshake-lost',
    phase: 'tls',
    by: 'java',
    documented: 'JDK sun.security.ssl.SSLSocketImpl',
    text: 'javax.net.ssl.SSLHandshakeException: Remote host terminated the handshake',
  },
];
