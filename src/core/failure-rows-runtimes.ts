import type { FailureRow } from './failure-row.ts';

/**
 * Runtimes other than Node, met by `reknit/fetch`. They say less: a `TypeError` with a fixed text, seldom a code. Texts
 * are matched whole or from their beginning, so that a consumer's own error is not taken for one.
 */
export const otherRuntimeRows: readonly FailureRow[] = [
  {
    id: 'bun-connect',
    match: { codes: ['ConnectionRefused', 'FailedToOpenSocket'] },
    failure: { origin: 'tcp', kind: 'refused', transient: true, phase: 'connect', what: 'connection refused' },
    why: 'Bun’s words for a connection that was not made, name lookup included.',
    seen: 'Bun: "Unable to connect. Is the computer able to access the url?"',
    sample: { code: 'ConnectionRefused', message: 'Unable to connect. Is the computer able to access the url?' },
  },
  {
    id: 'bun-closed',
    match: { codes: ['ConnectionClosed', 'ConnectionReset'] },
    failure: { origin: 'tcp', kind: 'closed', transient: true, what: 'connection closed' },
    why: 'Bun’s word for FIN and RST alike.',
    seen: 'Bun: "The socket connection was closed unexpectedly"',
    sample: { code: 'ConnectionClosed', message: 'The socket connection was closed unexpectedly.', phase: 'body' },
  },
  {
    id: 'bun-timeout',
    match: { codes: ['ConnectionTimeout', 'Timeout'] },
    failure: { origin: 'tcp', kind: 'timed-out', transient: true, what: 'connection timed out' },
    why: 'As for ETIMEDOUT.',
    seen: 'Bun',
    sample: { code: 'ConnectionTimeout', message: 'The connection timed out' },
  },
  {
    id: 'bun-redirects',
    match: { codes: ['TooManyRedirects'] },
    failure: { origin: 'http', kind: 'redirect-loop', transient: false, what: 'too many redirects' },
    why: 'The next attempt walks the same circle.',
    seen: 'Bun',
    sample: { code: 'TooManyRedirects', message: 'The response redirected too many times.' },
  },
  {
    id: 'deno-certificate',
    match: { names: ['TypeError'], messagePattern: /^error sending request.*invalid peer certificate/s },
    failure: {
      origin: 'tls',
      kind: 'certificate',
      transient: false,
      phase: 'tls',
      what: 'the certificate is not trusted',
    },
    why: 'rustls’ words; repeating does not change a certificate.',
    seen: 'Deno',
    sample: {
      name: 'TypeError',
      message:
        'error sending request for url (https://host/): client error (Connect): invalid peer certificate: UnknownIssuer',
    },
  },
  {
    id: 'deno-lookup',
    match: { names: ['TypeError'], messagePattern: /^error sending request.*client error \(Connect\): dns error/s },
    failure: {
      origin: 'dns',
      kind: 'name-lookup-failed',
      transient: true,
      phase: 'resolve',
      what: 'name lookup failed',
    },
    why: 'Deno does not tell a missing name from a silent resolver.',
    seen: 'Deno',
    sample: {
      name: 'TypeError',
      message:
        'error sending request for url (https://nope.invalid/): client error (Connect): dns error: failed to lookup address information',
    },
  },
  {
    id: 'deno-connect',
    match: { names: ['TypeError'], messagePattern: /^error sending request.*client error \(Connect\)/s },
    failure: { origin: 'tcp', kind: 'unreachable', transient: true, phase: 'connect', what: 'connection not made' },
    why: 'hyper’s connect phase: nothing was sent.',
    seen: 'Deno: "tcp connect error: Connection refused (os error 111)"',
    sample: {
      name: 'TypeError',
      message:
        'error sending request for url (http://host:1/): client error (Connect): tcp connect error: Connection refused (os error 111)',
    },
  },
  {
    id: 'deno-cut',
    match: {
      names: ['TypeError', 'Http', 'Error'],
      messagePattern:
        /^(error sending request|error reading a body from connection|error decoding response body|connection closed before message completed)/,
    },
    failure: { origin: 'tcp', kind: 'closed', transient: true, what: 'connection closed' },
    why: 'hyper’s words for a connection that broke while sending, waiting or reading.',
    seen: 'Deno: "error reading a body from connection"',
    sample: { name: 'TypeError', message: 'error reading a body from connection', phase: 'body' },
  },
  {
    id: 'deno-errno',
    match: { names: ['ConnectionReset', 'ConnectionAborted', 'BrokenPipe', 'UnexpectedEof', 'NotConnected'] },
    failure: { origin: 'tcp', kind: 'reset', transient: true, what: 'connection reset' },
    why: 'Deno names its error classes for the errno.',
    seen: '`Deno.errors.ConnectionReset`',
    sample: { name: 'ConnectionReset', message: 'Connection reset by peer (os error 104)', phase: 'body' },
  },
  {
    id: 'deno-errno-connect',
    match: { names: ['ConnectionRefused', 'NetworkUnreachable', 'HostUnreachable'] },
    failure: { origin: 'tcp', kind: 'unreachable', transient: true, phase: 'connect', what: 'connection not made' },
    why: 'As above, for connect.',
    seen: '`Deno.errors.ConnectionRefused`',
    sample: { name: 'ConnectionRefused', message: 'Connection refused (os error 111)' },
  },
  {
    id: 'workers-lost',
    match: { messagePattern: /^Network connection lost\.?$/ },
    failure: { origin: 'tcp', kind: 'closed', transient: true, what: 'connection closed' },
    why: 'All that workerd says of a connection that broke.',
    seen: 'Cloudflare Workers',
    sample: { name: 'Error', message: 'Network connection lost.' },
  },
  {
    id: 'browser-network-error',
    match: {
      names: ['TypeError'],
      messagePattern:
        /^(Failed to fetch|NetworkError when attempting to fetch resource\.|Load failed|network error|Error in input stream|The network connection was lost\.|The Internet connection appears to be offline\.|Could not connect to the server\.)$/,
    },
    failure: { origin: 'tcp', kind: 'closed', transient: true, what: 'network error' },
    why: 'The Fetch standard hides every reason behind one network error, CORS refusals and bad certificates included. The common reason is the network, and the price of being wrong is a few attempts.',
    seen: 'Chrome, Firefox, Safari',
    sample: { name: 'TypeError', message: 'Failed to fetch' },
  },
];
