/** The fields of a response that decisions read, and what a `fetch` may have done to them. */
import { contentCodings, type PushbackFields, type ResponseFields } from '../core/index.ts';

export interface PickedFields extends ResponseFields, PushbackFields {
  readonly connection?: string | undefined;
  /**
   * The body has been decoded on its way to us, or may have been: its offsets and the server's are not the same, and
   * `Content-Length` counts other bytes.
   */
  readonly isDecoded: boolean;
}

export function pickFields(response: Response): PickedFields {
  const { headers } = response;
  const field = (name: string) => headers.get(name) ?? undefined;
  return {
    etag: field('etag'),
    lastModified: field('last-modified'),
    date: field('date'),
    contentLength: field('content-length'),
    contentRange: field('content-range'),
    contentType: field('content-type'),
    contentEncoding: field('content-encoding'),
    transferEncoding: field('transfer-encoding'),
    acceptRanges: field('accept-ranges'),
    connection: field('connection'),
    retryAfter: field('retry-after'),
    retryAfterMs: field('retry-after-ms'),
    rateLimitReset: field('ratelimit-reset') ?? field('x-ratelimit-reset'),
    rateLimitRemaining: field('ratelimit-remaining') ?? field('x-ratelimit-remaining'),
    isDecoded: contentCodings(field('content-encoding')).length > 0 || hidesFields(response),
  };
}

/**
 * A browser shows a page only some fields of another origin's answer: `Content-Length` always, `Content-Encoding` only
 * where the server exposes it (Fetch Standard, CORS-safelisted response-header name). Every server sends `Date`; where it
 * is missing, or the permission itself, fields are hidden. Node also calls an answer `cors` after a redirect to another
 * origin, and hides nothing.
 */
function hidesFields({ type, headers }: Response): boolean {
  return type === 'cors' && !headers.has('date') && !headers.has('access-control-allow-origin');
}
