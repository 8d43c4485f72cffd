import type { Failure } from './failure.ts';

/**
 * Statuses after which another attempt may succeed. 425 stands for a request in early data; 520–524 are Cloudflare's
 * words for an origin that was not reached, 529 Anthropic's and Qualys's for overload.
 */
export const defaultTransientStatuses: ReadonlySet<number> = new Set([
  408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529,
]);

export interface StatusFacts {
  /** Replaces `defaultTransientStatuses`; a status below 400 in it is a failure, too. */
  readonly transientStatuses: ReadonlySet<number>;
  /** From `parsePushback`; `undefined` where the server asked for nothing. */
  readonly pushbackMs: number | undefined;
  /** Believe that a 429, or a 503 with pushback, was refused before anything ran. @default true */
  readonly trustRefusals?: boolean | undefined;
}

/** What a final status means, or `undefined` where it is no failure. A 304, 206 or redirect is none. */
export function statusVerdict(status: number, facts: StatusFacts): Failure | undefined {
  const transient = facts.transientStatuses.has(status);
  if (status < 400 && !transient) return undefined;
  // The server's own word that it refused: the one status evidence that counts as "not run" (RFC 6585 4, RFC 9110 15.6.4).
  const refused = status === 429 || (status === 503 && facts.pushbackMs !== undefined);
  return {
    origin: 'status',
    phase: 'wait',
    kind: refused ? 'throttled' : 'status',
    transient,
    mayHaveRun: !(refused && (facts.trustRefusals ?? true)),
    status,
    ...(facts.pushbackMs === undefined ? {} : { pushbackMs: facts.pushbackMs }),
    what: statusPhrase(status),
  };
}

/** `HTTP 503 Service Unavailable`; the number alone where no registry names it. */
export function statusPhrase(status: number): string {
  const reason = reasonPhrases.get(status);
  return reason === undefined ? `HTTP ${status}` : `HTTP ${status} ${reason}`;
}

/** IANA's registry of HTTP status codes from 400 up, and what Cloudflare and others use beside it. */
const reasonPhrases: ReadonlyMap<number, string> = new Map([
  [400, 'Bad Request'],
  [401, 'Unauthorized'],
  [402, 'Payment Required'],
  [403, 'Forbidden'],
  [404, 'Not Found'],
  [405, 'Method Not Allowed'],
  [406, 'Not Acceptable'],
  [407, 'Proxy Authentication Required'],
  [408, 'Request Timeout'],
  [409, 'Conflict'],
  [410, 'Gone'],
  [411, 'Length Required'],
  [412, 'Precondition Failed'],
  [413, 'Content Too Large'],
  [414, 'URI Too Long'],
  [415, 'Unsupported Media Type'],
  [416, 'Range Not Satisfiable'],
  [417, 'Expectation Failed'],
  [418, "I'm a teapot"],
  [421, 'Misdirected Request'],
  [422, 'Unprocessable Content'],
  [423, 'Locked'],
  [424, 'Failed Dependency'],
  [425, 'Too Early'],
  [426, 'Upgrade Required'],
  [428, 'Precondition Required'],
  [429, 'Too Many Requests'],
  [431, 'Request Header Fields Too Large'],
  [451, 'Unavailable For Legal Reasons'],
  [500, 'Internal Server Error'],
  [501, 'Not Implemented'],
  [502, 'Bad Gateway'],
  [503, 'Service Unavailable'],
  [504, 'Gateway Timeout'],
  [505, 'HTTP Version Not Supported'],
  [506, 'Variant Also Negotiates'],
  [507, 'Insufficient Storage'],
  [508, 'Loop Detected'],
  [510, 'Not Extended'],
  [511, 'Network Authentication Required'],
  [520, 'Unknown Error'],
  [521, 'Web Server Is Down'],
  [522, 'Connection Timed Out'],
  [523, 'Origin Is Unreachable'],
  [524, 'A Timeout Occurred'],
  [525, 'SSL Handshake Failed'],
  [526, 'Invalid SSL Certificate'],
  [529, 'Site Is Overloaded'],
]);
