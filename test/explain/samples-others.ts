/** Texts that were looked for in bug reports and sources when the rows stood already; those that no row knew have one now. */
import type { Sample } from './sample.ts';

export const otherSamples: readonly Sample[] = [
  {
    row: 'browser-reset',
    by: 'browser (playwright)',
    documented: 'Chromium net/base/net_error_list.h, CONNECTION_RESET',
    text: 'page.goto: net::ERR_CONNECTION_RESET at https://files.example.com/',
  },
  {
    row: 'browser-empty',
    by: 'browser (playwright)',
    documented: 'Chromium net/base/net_error_list.h, EMPTY_RESPONSE',
    text: 'page.goto: net::ERR_EMPTY_RESPONSE at https://files.example.com/',
  },
  {
    row: 'browser-short',
    by: 'browser',
    documented: 'Chromium net/base/net_error_list.h, CONTENT_LENGTH_MISMATCH',
    text: 'GET https://files.example.com/a.js net::ERR_CONTENT_LENGTH_MISMATCH 200 (OK)',
    phase: 'body',
  },
  {
    row: 'browser-chunks',
    by: 'browser',
    documented: 'Chromium net/base/net_error_list.h, INCOMPLETE_CHUNKED_ENCODING',
    text: 'GET https://files.example.com/events net::ERR_INCOMPLETE_CHUNKED_ENCODING 200 (OK)',
    phase: 'body',
  },
  {
    row: 'browser-http2',
    by: 'browser',
    documented: 'Chromium net/base/net_error_list.h, HTTP2_PROTOCOL_ERROR',
    text: 'Failed to load resource: net::ERR_HTTP2_PROTOCOL_ERROR',
  },
  {
    row: 'envoy-upstream',
    by: 'envoy',
    documented: 'istio/istio #45910, #49480; envoyproxy/envoy #23883',
    text: 'upstream connect error or disconnect/reset before headers. reset reason: connection termination',
  },
  {
    row: 'envoy-connect',
    by: 'envoy',
    documented: 'istio/istio #22482',
    text: 'upstream connect error or disconnect/reset before headers. reset reason: connection failure',
    phase: 'connect',
  },
  {
    row: 'envoy-overflow',
    by: 'envoy',
    documented: 'servicemesher/istio-handbook #288',
    text: 'upstream connect error or disconnect/reset before headers. reset reason: overflow',
    phase: 'wait',
  },
  {
    row: 'dotnet-tls-eof',
    by: 'dotnet',
    documented: 'dotnet/runtime, System.Net.Security Strings.resx, net_io_eof',
    text: `System.Net.Http.HttpRequestException: The SSL connection could not be established, see inner exception.
 ---> System.IO.IOException: Received an unexpected EOF or 0 bytes from the transport stream.`,
    phase: 'tls',
  },
  {
    row: 'dotnet-ended',
    by: 'dotnet',
    documented: 'dotnet/runtime, System.Net.Http Strings.resx, net_http_invalid_response_premature_eof',
    text: 'System.Net.Http.HttpIOException: The response ended prematurely. (ResponseEnded)',
  },
  {
    row: 'errno-reset',
    by: 'dotnet',
    documented: 'dotnet/runtime, System.Net.Sockets Strings.resx, net_io_readfailure',
    text: 'System.IO.IOException: Unable to read data from the transport connection: An existing connection was forcibly closed by the remote host.',
  },
  {
    row: 'ruby-open-timeout',
    by: 'ruby (bundler)',
    documented: 'ruby/net-http, lib/net/http.rb, connect',
    text: 'Net::OpenTimeout: Failed to open TCP connection to rubygems.org:443 (execution expired)',
    phase: 'connect',
  },
  {
    row: 'ruby-eof',
    by: 'ruby',
    documented: 'ruby/net-protocol, lib/net/protocol.rb, rbuf_fill',
    text: "/usr/lib/ruby/3.0.0/net/protocol.rb:225:in `rbuf_fill': end of file reached (EOFError)",
  },
  {
    row: 'errno-reset',
    by: 'ruby (bundler)',
    documented: 'rubygems, lib/rubygems/remote_fetcher.rb',
    text: 'Gem::RemoteFetcher::FetchError: Errno::ECONNRESET: Connection reset by peer - SSL_connect (https://rubygems.org/gems/rake-13.0.6.gem)',
  },
  {
    row: 'boto-closed',
    by: 'python (boto3)',
    documented: 'botocore/exceptions.py, ConnectionClosedError',
    text: 'botocore.exceptions.ConnectionClosedError: Connection was closed before we received a valid response from endpoint URL: "https://s3.example.com/".',
    phase: 'wait',
  },
  {
    row: 'conda-connection',
    by: 'conda',
    documented: 'conda docs, troubleshooting, HTTP 000 CONNECTION FAILED',
    text: `CondaHTTPError: HTTP 000 CONNECTION FAILED for url <https://conda.example.com/main/linux-64/repodata.json>
Elapsed: -

An HTTP error occurred when trying to retrieve this URL.`,
  },
  {
    row: 'bun-closed-download',
    by: 'bun',
    documented: 'oven-sh/bun, test/cli/install (streaming of tarballs)',
    text: 'error: ConnectionClosed downloading tarball xlsx@https://cdn.example.com/xlsx-0.20.2/xlsx-0.20.2.tgz',
  },
  {
    row: 'okhttp-stream-reset',
    by: 'java (okhttp)',
    documented: 'square/okhttp, okhttp3.internal.http2.StreamResetException',
    text: 'okhttp3.internal.http2.StreamResetException: stream was reset: INTERNAL_ERROR',
  },
  {
    row: 'grpc-server-eof',
    by: 'go (grpc)',
    documented: 'grpc/grpc-go, internal/transport/http2_client.go, reader',
    text: 'rpc error: code = Unavailable desc = error reading from server: EOF',
  },
  {
    row: 'hyper-closed-before-message',
    by: 'rust (deno)',
    documented: 'hyperium/hyper, src/error.rs, IncompleteMessage',
    text: 'error: error sending request for url (https://jsr.io/@std/path/meta.json): connection closed before message completed',
    phase: 'wait',
  },
];
