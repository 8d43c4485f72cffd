/** Reading a foreign error: everything in it is data, and no property of it is trusted to exist or to be harmless. */

/** What one link of an error chain shows. */
export interface Signature {
  readonly name: string | undefined;
  /** A string code; a number (`DOMException`) says nothing that the name does not. */
  readonly code: string | undefined;
  readonly syscall: string | undefined;
  readonly message: string;
  /** The HTTP/2 error code by name, `REFUSED_STREAM`, where the transport reports one. */
  readonly h2Code: string | undefined;
  /** The OpenSSL reason in one spelling, `ALERT_HANDSHAKE_FAILURE`. */
  readonly tlsReason: string | undefined;
  readonly proxy: ProxyAnswer | undefined;
}

/** What a forward proxy said to CONNECT. */
export interface ProxyAnswer {
  readonly status: number;
  /** Other tunnels of ours through this proxy at that moment; 0 where the transport does not tell. */
  readonly openTunnels: number;
  readonly pushbackMs: number | undefined;
}

export function signatureOf(error: unknown): Signature {
  if (!isObject(error)) {
    return { ...nothing, message: typeof error === 'string' ? error : '' };
  }
  const code = textOf(error, 'code');
  const message = textOf(error, 'message') ?? '';
  return {
    name: textOf(error, 'name'),
    code,
    syscall: textOf(error, 'syscall'),
    message,
    h2Code: h2CodeOf(code, message),
    tlsReason: tlsReasonOf(code, message),
    proxy: proxyAnswerOf(error, code, message),
  };
}

const nothing: Signature = {
  name: undefined,
  code: undefined,
  syscall: undefined,
  message: '',
  h2Code: undefined,
  tlsReason: undefined,
  proxy: undefined,
};

export function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

/** One property of a foreign object; a getter or proxy that throws counts as absent. */
export function readProperty(target: object, key: string | symbol): unknown {
  try {
    return Reflect.get(target, key);
  } catch {
    return undefined;
  }
}

function textOf(error: object, key: string): string | undefined {
  const value = readProperty(error, key);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function numberOf(error: object, key: string): number | undefined {
  const value = readProperty(error, key);
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** RFC 9113 7; the index is the code on the wire. */
export const http2CodeNames: readonly string[] = [
  'NO_ERROR',
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'FLOW_CONTROL_ERROR',
  'SETTINGS_TIMEOUT',
  'STREAM_CLOSED',
  'FRAME_SIZE_ERROR',
  'REFUSED_STREAM',
  'CANCEL',
  'COMPRESSION_ERROR',
  'CONNECT_ERROR',
  'ENHANCE_YOUR_CALM',
  'INADEQUATE_SECURITY',
  'HTTP_1_1_REQUIRED',
];

/**
 * Node and undici put the code of RST_STREAM and GOAWAY only into the text: `NGHTTP2_CANCEL`, `received - code 8`,
 * `frame received with code 0`. Only texts of theirs are read.
 */
function h2CodeOf(code: string | undefined, message: string): string | undefined {
  if (code === undefined || !/^(ERR_HTTP2_|UND_ERR_(INFO|SOCKET)$)/.test(code)) return undefined;
  const byName = /NGHTTP2_([A-Z0-9_]+)/.exec(message)?.[1];
  if (byName !== undefined) return byName;
  const byNumber = /(?:error code|"GOAWAY" frame received with code|"stream error" received - code) (\d+)/.exec(
    message,
  );
  return byNumber === null ? undefined : http2CodeNames[Number(byNumber[1])];
}

/**
 * OpenSSL's reason, from `ERR_SSL_…` or, behind `EPROTO` and in old texts, from `…:SSL routines:function:reason:file…`.
 * Alerts are named by the protocol version that defined them (`sslv3 alert …`, since OpenSSL 3.2 `ssl/tls alert …`,
 * `tlsv1 unrecognized name`): that part is dropped.
 */
function tlsReasonOf(code: string | undefined, message: string): string | undefined {
  const reason = code?.startsWith('ERR_SSL_')
    ? code.slice('ERR_SSL_'.length)
    : /SSL routines:[^:]*:([^:]+)/.exec(message)?.[1]?.toUpperCase().replaceAll(' ', '_');
  return reason?.replace(/^(?:SSLV3|TLSV1(?:[123])?|SSL\/TLS|TLS)_(?:ALERT_)?(?=[A-Z])/, 'ALERT_');
}

/** Our connector says it in properties; undici's `ProxyAgent` only in the text of a `RequestAbortedError`. */
function proxyAnswerOf(error: object, code: string | undefined, message: string): ProxyAnswer | undefined {
  if (code === 'ERR_REKNIT_PROXY') {
    const openTunnels = numberOf(error, 'openTunnels') ?? 0;
    return { status: numberOf(error, 'statusCode') ?? 0, openTunnels, pushbackMs: numberOf(error, 'pushbackMs') };
  }
  if (code !== 'UND_ERR_ABORTED') return undefined;
  const status = /^Proxy response \((\d{3})\) !== 200 when HTTP Tunneling/.exec(message)?.[1];
  return status === undefined ? undefined : { status: Number(status), openTunnels: 0, pushbackMs: undefined };
}
