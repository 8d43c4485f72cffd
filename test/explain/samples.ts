/**
 * What tools really print, written before the rows that explain it, and kept apart from them. Each sample names the row that
 * must explain it and where the tool's text comes from. Hosts and packages are examples.
 */
import type { Sample } from './sample.ts';
import { logSamples } from './samples-logs.ts';
import { otherSamples } from './samples-others.ts';
import { packageSamples } from './samples-packages.ts';

const nodeSamples: readonly Sample[] = [
  {
    row: 'node-hang-up',
    by: 'node',
    documented: 'Node.js lib/_http_client.js, socketCloseListener',
    text: `node:events:497
      throw er; // Unhandled 'error' event
      ^

Error: socket hang up
    at Socket.socketOnEnd (node:_http_client:542:25)
    at Socket.emit (node:events:531:35)
    at endReadableNT (node:internal/streams/readable:1698:12) {
  code: 'ECONNRESET'
}`,
  },
  {
    row: 'errno-reset',
    by: 'node',
    documented: 'Node.js docs/api/errors.md, ECONNRESET',
    text: `Error: read ECONNRESET
    at TCP.onStreamRead (node:internal/stream_base_commons:216:20) {
  errno: -104,
  code: 'ECONNRESET',
  syscall: 'read'
}`,
  },
  {
    row: 'errno-refused',
    phase: 'connect',
    by: 'node',
    documented: 'Node.js docs/api/errors.md, ECONNREFUSED; undici fetch wraps it as "fetch failed"',
    text: `TypeError: fetch failed
    at node:internal/deps/undici/undici:13510:13
    at process.processTicksAndRejections (node:internal/process/task_queues:105:5) {
  [cause]: Error: connect ECONNREFUSED 127.0.0.1:8080
      at TCPConnectWrap.afterConnect [as oncomplete] (node:net:1611:16) {
    errno: -111,
    code: 'ECONNREFUSED',
    syscall: 'connect',
    address: '127.0.0.1',
    port: 8080
  }
}`,
  },
  {
    row: 'errno-refused',
    phase: 'connect',
    by: 'node',
    documented: 'Node.js lib/net.js, happy eyeballs: AggregateError [ECONNREFUSED]',
    text: `AggregateError [ECONNREFUSED]: 
    at internalConnectMultiple (node:net:1122:18)
    at afterConnectMultiple (node:net:1689:7) {
  code: 'ECONNREFUSED',
  [errors]: [
    Error: connect ECONNREFUSED ::1:8080
        at createConnectionError (node:net:1652:14) {
      errno: -111,
      code: 'ECONNREFUSED',
      syscall: 'connect',
      address: '::1',
      port: 8080
    },
    Error: connect ECONNREFUSED 127.0.0.1:8080
        at createConnectionError (node:net:1652:14) {
      errno: -111,
      code: 'ECONNREFUSED',
      syscall: 'connect',
      address: '127.0.0.1',
      port: 8080
    }
  ]
}`,
  },
  {
    row: 'undici-other-side-closed',
    phase: 'body',
    by: 'node',
    documented: 'undici lib/dispatcher/client-h1.js, "other side closed"; fetch: "terminated"',
    text: `TypeError: terminated
    at Fetch.onAborted (node:internal/deps/undici/undici:11132:53)
    at Fetch.emit (node:events:519:28) {
  [cause]: SocketError: other side closed
      at TLSSocket.onHttpSocketEnd (node:internal/deps/undici/undici:6302:26) {
    code: 'UND_ERR_SOCKET',
    socket: {
      localAddress: '10.0.0.5',
      localPort: 52344,
      remoteAddress: '203.0.113.7',
      remotePort: 443,
      bytesWritten: 211,
      bytesRead: 1048576
    }
  }
}`,
  },
  {
    row: 'fetch-terminated',
    phase: 'body',
    by: 'node',
    documented: 'undici lib/web/fetch/index.js: TypeError("terminated")',
    text: 'TypeError: terminated',
  },
  {
    row: 'undici-connect-timeout',
    phase: 'connect',
    by: 'node',
    documented: 'undici docs/docs/api/Errors.md, UND_ERR_CONNECT_TIMEOUT',
    text: `TypeError: fetch failed
    at node:internal/deps/undici/undici:13510:13 {
  [cause]: ConnectTimeoutError: Connect Timeout Error (attempted address: registry.example.com:443, timeout: 10000ms)
      at onConnectTimeout (node:internal/deps/undici/undici:2331:28) {
    code: 'UND_ERR_CONNECT_TIMEOUT'
  }
}`,
  },
  {
    row: 'undici-headers-timeout',
    phase: 'wait',
    by: 'node',
    documented: 'undici docs/docs/api/Errors.md, UND_ERR_HEADERS_TIMEOUT',
    text: `TypeError: fetch failed {
  [cause]: HeadersTimeoutError: Headers Timeout Error
      at Timeout.onParserTimeout [as callback] (node:internal/deps/undici/undici:6249:32) {
    code: 'UND_ERR_HEADERS_TIMEOUT'
  }
}`,
  },
  {
    row: 'dns-name-unknown',
    phase: 'resolve',
    by: 'node',
    documented: 'Node.js docs/api/errors.md, ENOTFOUND',
    text: `Error: getaddrinfo ENOTFOUND api.example.invalid
    at GetAddrInfoReqWrap.onlookupall [as oncomplete] (node:dns:122:26) {
  errno: -3008,
  code: 'ENOTFOUND',
  syscall: 'getaddrinfo',
  hostname: 'api.example.invalid'
}`,
  },
  {
    row: 'tls-issuer-unknown',
    phase: 'tls',
    by: 'node',
    documented: 'Node.js docs/api/tls.md, X509 certificate error codes',
    text: `Error: unable to get local issuer certificate
    at TLSSocket.onConnectSecure (node:_tls_wrap:1677:34) {
  code: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY'
}`,
  },
  {
    row: 'code-shorter-than-announced',
    phase: 'body',
    by: 'node',
    documented: 'undici docs/docs/api/Errors.md, UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
    text: `ResponseContentLengthMismatchError: Response body length does not match content-length header
    at Parser.onMessageComplete (/app/node_modules/undici/lib/dispatcher/client-h1.js:606:30) {
  code: 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH'
}`,
  },
  {
    row: 'code-bad-http',
    by: 'node',
    documented: 'llhttp error codes: HPE_INVALID_CONSTANT',
    text: "Error: Parse Error: Expected HTTP/ {\n  code: 'HPE_INVALID_CONSTANT',\n  reason: 'Expected HTTP/'\n}",
  },
  {
    row: 'node-premature-close',
    phase: 'body',
    by: 'node',
    documented: 'Node.js docs/api/errors.md, ERR_STREAM_PREMATURE_CLOSE; node-fetch "Premature close"',
    text: "FetchError: Invalid response body while trying to fetch https://api.example.com/v1/items: Premature close\n    at consumeBody (/app/node_modules/node-fetch/lib/index.js:60:31) {\n  code: 'ERR_STREAM_PREMATURE_CLOSE'\n}",
  },
];

const pythonSamples: readonly Sample[] = [
  {
    row: 'errno-reset',
    by: 'python urllib',
    documented: 'Python docs, exceptions: ConnectionResetError; urllib.error.URLError',
    text: 'urllib.error.URLError: <urlopen error [Errno 104] Connection reset by peer>',
  },
  {
    row: 'errno-reset',
    by: 'python 2 urllib2',
    documented: 'Python 2 docs, urllib2.URLError',
    text: 'urllib2.URLError: <urlopen error [Errno 104] Connection reset by peer>',
  },
  {
    row: 'python-remote-disconnected',
    phase: 'wait',
    by: 'python http.client',
    documented: 'Python docs, http.client.RemoteDisconnected',
    text: 'http.client.RemoteDisconnected: Remote end closed connection without response',
  },
  {
    row: 'python-incomplete-read',
    phase: 'body',
    by: 'python urllib3',
    documented: 'urllib3 docs, exceptions.IncompleteRead, ProtocolError',
    text: `Traceback (most recent call last):
  File "/usr/lib/python3/dist-packages/urllib3/response.py", line 697, in _error_catcher
    yield
  File "/usr/lib/python3/dist-packages/urllib3/response.py", line 790, in _raw_read
    raise IncompleteRead(self._fp_bytes_read, self.length_remaining)
urllib3.exceptions.IncompleteRead: IncompleteRead(52428800 bytes read, 14680064 more expected)

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/usr/lib/python3/dist-packages/requests/models.py", line 818, in generate
    raise ChunkedEncodingError(e)
requests.exceptions.ChunkedEncodingError: ('Connection broken: IncompleteRead(52428800 bytes read, 14680064 more expected)', IncompleteRead(52428800 bytes read, 14680064 more expected))`,
  },
  {
    row: 'errno-reset',
    phase: 'body',
    by: 'python requests',
    documented: 'requests docs, exceptions.ChunkedEncodingError; urllib3 response.py "Connection broken"',
    text: `Traceback (most recent call last):
  File "/usr/lib/python3.11/site-packages/urllib3/response.py", line 444, in _error_catcher
    yield
  File "/usr/lib/python3.11/ssl.py", line 1166, in read
    return self._sslobj.read(len, buffer)
ConnectionResetError: [Errno 104] Connection reset by peer

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/usr/lib/python3.11/site-packages/requests/models.py", line 816, in generate
    yield from self.raw.stream(chunk_size, decode_content=True)
urllib3.exceptions.ProtocolError: ("Connection broken: ConnectionResetError(104, 'Connection reset by peer')", ConnectionResetError(104, 'Connection reset by peer'))

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/app/fetch.py", line 7, in <module>
    requests.get(url)
requests.exceptions.ChunkedEncodingError: ("Connection broken: ConnectionResetError(104, 'Connection reset by peer')", ConnectionResetError(104, 'Connection reset by peer'))`,
  },
  {
    row: 'errno-refused',
    phase: 'connect',
    by: 'python requests',
    documented: 'urllib3 docs, NewConnectionError, MaxRetryError',
    text: "requests.exceptions.ConnectionError: HTTPConnectionPool(host='localhost', port=8000): Max retries exceeded with url: /api/items (Caused by NewConnectionError('<urllib3.connection.HTTPConnection object at 0x7f3d8c0b5e50>: Failed to establish a new connection: [Errno 111] Connection refused'))",
  },
  {
    row: 'python-read-timeout',
    by: 'python requests',
    documented: 'requests docs, exceptions.ReadTimeout; urllib3 "Read timed out."',
    text: "requests.exceptions.ReadTimeout: HTTPSConnectionPool(host='api.example.com', port=443): Read timed out. (read timeout=10)",
  },
  {
    row: 'python-connect-timeout',
    phase: 'connect',
    by: 'python requests',
    documented: 'urllib3 docs, ConnectTimeoutError',
    text: "requests.exceptions.ConnectTimeout: HTTPSConnectionPool(host='10.255.255.1', port=443): Max retries exceeded with url: / (Caused by ConnectTimeoutError(<urllib3.connection.HTTPSConnection object at 0x7f1c>, 'Connection to 10.255.255.1 timed out. (connect timeout=3.05)'))",
  },
  {
    row: 'tls-issuer-unknown',
    phase: 'tls',
    by: 'python requests',
    documented: 'Python docs, ssl.SSLCertVerificationError',
    text: "requests.exceptions.SSLError: HTTPSConnectionPool(host='intranet.example.com', port=443): Max retries exceeded with url: / (Caused by SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: unable to get local issuer certificate (_ssl.c:1006)')))",
  },
  {
    row: 'tls-cut',
    by: 'python urllib3',
    documented: 'Python docs, ssl.SSLEOFError; OpenSSL 3 migration guide, unexpected EOF',
    text: "urllib3.exceptions.MaxRetryError: HTTPSConnectionPool(host='api.example.com', port=443): Max retries exceeded with url: /v1 (Caused by SSLError(SSLEOFError(8, '[SSL: UNEXPECTED_EOF_WHILE_READING] EOF occurred in violation of protocol (_ssl.c:1007)')))",
  },
  {
    row: 'h11-incomplete-body',
    phase: 'body',
    by: 'python httpx',
    documented: 'h11 _readers.py; httpx docs, RemoteProtocolError',
    text: 'httpx.RemoteProtocolError: peer closed connection without sending complete message body (received 65536 bytes, expected 1048576)',
  },
  {
    row: 'h11-no-response',
    phase: 'wait',
    by: 'python httpx',
    documented: 'httpcore http11.py: "Server disconnected without sending a response."',
    text: 'httpx.RemoteProtocolError: Server disconnected without sending a response.',
  },
  {
    row: 'httpx-read-timeout',
    by: 'python httpx',
    documented: 'httpx docs, exceptions: ReadTimeout',
    text: 'httpx.ReadTimeout: The read operation timed out',
  },
  {
    row: 'aiohttp-payload',
    phase: 'body',
    by: 'python aiohttp',
    documented: 'aiohttp docs, ClientPayloadError',
    text: "aiohttp.client_exceptions.ClientPayloadError: Response payload is not completed: <ContentLengthError: 400, message='Not enough data to satisfy content length header.'>",
  },
  {
    row: 'aiohttp-disconnected',
    phase: 'wait',
    by: 'python aiohttp',
    documented: 'aiohttp docs, ServerDisconnectedError',
    text: 'aiohttp.client_exceptions.ServerDisconnectedError: Server disconnected',
  },
  {
    row: 'aiohttp-connect',
    phase: 'connect',
    by: 'python aiohttp',
    documented: 'aiohttp docs, ClientConnectorError; asyncio base_events.py "Connect call failed"',
    text: "aiohttp.client_exceptions.ClientConnectorError: Cannot connect to host localhost:9999 ssl:default [Connect call failed ('127.0.0.1', 9999)]",
  },
  {
    row: 'python-content-too-short',
    phase: 'body',
    by: 'python urllib',
    documented: 'Python docs, urllib.error.ContentTooShortError',
    text: 'urllib.error.ContentTooShortError: <urlopen error retrieval incomplete: got only 81920 out of 1048576 bytes>',
  },
  {
    row: 'status-server',
    phase: 'wait',
    by: 'python requests',
    documented: 'requests docs, Response.raise_for_status',
    text: 'requests.exceptions.HTTPError: 503 Server Error: Service Unavailable for url: https://api.example.com/v1/items',
  },
  {
    row: 'status-client',
    phase: 'wait',
    by: 'python urllib',
    documented: 'Python docs, urllib.error.HTTPError',
    text: 'urllib.error.HTTPError: HTTP Error 404: Not Found',
  },
  {
    row: 'errno-broken-pipe',
    by: 'python',
    documented: 'Python docs, BrokenPipeError',
    text: "('Connection aborted.', BrokenPipeError(32, 'Broken pipe'))",
  },
];

export const samples: readonly Sample[] = [
  ...nodeSamples,
  ...pythonSamples,
  ...packageSamples,
  ...logSamples,
  ...otherSamples,
];
