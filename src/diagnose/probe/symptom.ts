/** From classified failures and answers to one word. Pure; core's classification is the only judge of errors. */
import type { Failure, FailureKind } from '../../core/index.ts';
import type { RequestTrace, Symptom } from './trace.ts';

/** @param isProxied the connection went through a proxy, whose cut is not the server's */
export function symptomOf(request: RequestTrace, path: string, isProxied: boolean): Symptom {
  const { failure, status } = request;
  if (failure !== undefined && failure.origin !== 'status') return symptomOfFailure(failure, request, isProxied);
  if (status === undefined) return 'local';
  if (status >= 400) return symptomOfStatus(status);
  if (status >= 300) return status === 304 ? 'ok' : 'redirect-loop';
  if (isEmpty(request)) return 'empty';
  return isForeign(request, path) ? 'foreign' : 'ok';
}

const ofKind: Readonly<Partial<Record<FailureKind, Symptom>>> = {
  'name-not-found': 'name-not-found',
  'name-lookup-failed': 'lookup-failed',
  refused: 'refused',
  unreachable: 'unreachable',
  'tls-handshake': 'tls-cut',
  'tls-alert': 'tls-alert',
  'tls-protocol': 'not-tls',
  'proxy-auth': 'proxy-login',
  'proxy-refused': 'proxy-refused',
  'proxy-throttled': 'proxy-throttled',
  'proxy-unavailable': 'proxy-unavailable',
  'bad-http': 'bad-http',
  'headers-too-large': 'bad-http',
  'bad-chunking': 'damaged',
  'tls-record': 'damaged',
  decoding: 'damaged',
  'too-long': 'damaged',
  'h2-refused': 'h2-refused',
  'h2-calm': 'h2-refused',
  'h2-goaway': 'h2-broken',
  'h2-stream-error': 'h2-broken',
  'h2-needs-http1': 'h2-broken',
  'headers-timeout': 'silent',
  'redirect-loop': 'redirect-loop',
};

function symptomOfFailure(failure: Failure, request: RequestTrace, isProxied: boolean): Symptom {
  const { kind, phase, code } = failure;
  // Of the connection, and not of the content, which TLS has not let through.
  if (kind === 'tls-record' && phase === 'body') return 'cut-in-body';
  // The body was whole by its length; what follows it is not of it.
  if (kind === 'bad-http' && phase === 'body' && request.bodyBytes === request.totalBytes) return 'damaged';
  if (kind === 'certificate') return isIssuer(code) ? 'untrusted' : 'bad-certificate';
  // Said of HTTP/2 behind a handshake that went well.
  if (kind === 'tls-protocol' && (phase === 'wait' || phase === 'body')) return 'h2-broken';
  const known = ofKind[kind];
  if (known !== undefined) return known;
  if (phase === 'resolve') return 'lookup-failed';
  const isTimeout = kind === 'timed-out' || kind === 'connect-timeout' || kind === 'stall' || kind === 'trickle';
  const isEnd = kind === 'reset' || kind === 'closed' || kind === 'truncated';
  if (phase === 'connect')
    return isTimeout ? 'connect-timeout' : isProxied && isEnd ? 'proxy-cut' : isEnd ? 'reset-on-connect' : 'local';
  if (phase === 'tls')
    return isTimeout ? 'tls-timeout' : isProxied && isEnd ? 'proxy-cut' : isEnd ? 'tls-cut' : 'tls-alert';
  // Nothing of the body has come: the answer was ended as soon as it began.
  if (phase === 'body' && isEnd && request.bodyBytes === 0 && request.totalBytes !== 0) return 'cut-in-headers';
  if (phase === 'body') return isTimeout ? 'stalled-in-body' : isEnd ? 'cut-in-body' : 'damaged';
  if (isTimeout) return 'silent';
  if (isEnd) return !request.hasAnswerBytes ? 'no-answer' : 'cut-in-headers';
  return 'local';
}

const issuerCodes: ReadonlySet<string> = new Set([
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
]);

function isIssuer(code: string | undefined): boolean {
  return code !== undefined && issuerCodes.has(code);
}

const ofStatus: Readonly<Record<number, Symptom>> = {
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not-found',
  407: 'proxy-login',
  410: 'not-found',
  413: 'too-large',
  429: 'too-many',
  502: 'bad-gateway',
  503: 'unavailable',
  504: 'bad-gateway',
  529: 'unavailable',
};

function symptomOfStatus(status: number): Symptom {
  return (
    ofStatus[status] ??
    (status >= 520 && status <= 524 ? 'bad-gateway' : status >= 500 ? 'server-error' : 'bad-request')
  );
}

function isEmpty({ method, status, bodyBytes, isComplete }: RequestTrace): boolean {
  return method === 'GET' && status === 200 && isComplete && bodyBytes === 0;
}

/** Endings whose content is never a page; where the path ends otherwise, a page may be what was asked for. */
const fileEnding =
  /\.(?:bin|iso|img|zip|whl|gz|tgz|xz|bz2|zst|tar|jar|exe|dmg|deb|rpm|apk|msi|pdf|png|jpe?g|gif|webp|mp[34]|json|csv|parquet|safetensors|onnx|wasm|js|css|woff2?)$/i;

/** A page of somebody between (a portal, a filter) in place of a file. */
function isForeign({ method, headers, start }: RequestTrace, path: string): boolean {
  if (method !== 'GET') return false;
  const type = headers?.['content-type'] ?? '';
  const isPage = /^(?:text\/html|application\/xhtml)/i.test(type) || looksLikePage(start);
  return isPage && (fileEnding.test(path) || hasPortalWords(start));
}

function looksLikePage(start: Uint8Array): boolean {
  return /^\s*<(?:!doctype html|html)/i.test(textOf(start));
}

/** Words by which filters and portals name themselves. */
function hasPortalWords(start: Uint8Array): boolean {
  return /captive portal|web page blocked|access (?:has been )?(?:blocked|denied)|blocked by|policy violation|fortigate|zscaler|palo alto|sophos|log ?in to (?:the )?(?:network|wi-?fi)/i.test(
    textOf(start),
  );
}

function textOf(bytes: Uint8Array): string {
  return Array.from(bytes.subarray(0, 2_048), (byte) => String.fromCharCode(byte)).join('');
}
