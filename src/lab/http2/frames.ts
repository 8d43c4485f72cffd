import type { ByteQueue } from '../byte-queue.ts';
import { type Http2Code, http2Codes } from '../scenario.ts';

/** Frame types and flags (RFC 9113 6). */
export const frameTypes = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const flags = { none: 0, ack: 1, endStream: 1, endHeaders: 4, padded: 8, priority: 32 } as const;

export const headBytes = 9;

/** What every peer takes (RFC 9113 6.5.2); the lab never sends larger frames, so that its frames do not depend on who asks. */
export const maxPayloadBytes = 16_384;

/** How a client opens HTTP/2 (RFC 9113 3.4). */
export const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

/** The nine bytes in front of a payload, whatever really follows them. */
export function frameHead(payloadBytes: number, type: number, flagBits: number, streamId: number): Buffer {
  const head = Buffer.alloc(headBytes);
  head.writeUIntBE(payloadBytes, 0, 3);
  head[3] = type;
  head[4] = flagBits;
  head.writeUInt32BE(streamId, 5);
  return head;
}

export function frame(type: number, flagBits: number, streamId: number, payload: Buffer): Buffer {
  return Buffer.concat([frameHead(payload.length, type, flagBits, streamId), payload]);
}

export function settingsFrame(settings: readonly (readonly [id: number, value: number])[]): Buffer {
  const payload = Buffer.alloc(settings.length * 6);
  for (const [index, [id, value]] of settings.entries()) {
    payload.writeUInt16BE(id, index * 6);
    payload.writeUInt32BE(value, index * 6 + 2);
  }
  return frame(frameTypes.settings, flags.none, 0, payload);
}

export function rstStreamFrame(streamId: number, code: Http2Code): Buffer {
  return frame(frameTypes.rstStream, flags.none, streamId, word(codeNumber(code)));
}

export function goawayFrame(lastStreamId: number, code: Http2Code): Buffer {
  const payload = Buffer.concat([word(lastStreamId), word(codeNumber(code))]);
  return frame(frameTypes.goaway, flags.none, 0, payload);
}

export function windowUpdateFrame(streamId: number, bytes: number): Buffer {
  return frame(frameTypes.windowUpdate, flags.none, streamId, word(bytes));
}

/** A header block in HEADERS and, where it is long, CONTINUATION frames. */
export function headersFrames(streamId: number, block: Buffer, endsStream: 'ends-stream' | 'goes-on'): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at === 0 || at < block.length; at += maxPayloadBytes) {
    const part = block.subarray(at, at + maxPayloadBytes);
    const isLast = at + maxPayloadBytes >= block.length;
    const ending = at === 0 && endsStream === 'ends-stream' ? flags.endStream : flags.none;
    const type = at === 0 ? frameTypes.headers : frameTypes.continuation;
    parts.push(frame(type, ending | (isLast ? flags.endHeaders : flags.none), streamId, part));
  }
  return Buffer.concat(parts);
}

export function codeNumber(code: Http2Code): number {
  return typeof code === 'number' ? code : http2Codes.indexOf(code);
}

export function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

/** Reads what a client sends, frame by frame. */
export class FrameReader {
  readonly #input: ByteQueue;

  constructor(input: ByteQueue) {
    this.#input = input;
  }

  /** The next frame; `undefined` once the client has ended, `too-large` where a payload passes what we allow. */
  async next(): Promise<Frame | 'too-large' | undefined> {
    const head = await this.read(headBytes);
    if (head === undefined) return undefined;
    const payloadBytes = head.readUIntBE(0, 3);
    if (payloadBytes > maxPayloadBytes) return 'too-large';
    const payload = await this.read(payloadBytes);
    if (payload === undefined) return undefined;
    return { type: head[3]!, flags: head[4]!, streamId: head.readUInt32BE(5) & 0x7fffffff, payload };
  }

  /** Exactly so many bytes. */
  async read(count: number): Promise<Buffer | undefined> {
    const parts: Buffer[] = [];
    for (let missing = count; missing > 0; ) {
      const bytes = await this.#input.next();
      if (bytes === undefined) return undefined;
      parts.push(bytes.subarray(0, missing));
      this.#input.unread(bytes.subarray(missing));
      missing -= Math.min(missing, bytes.length);
    }
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
  }
}

/** Whether the client speaks HTTP/2; what was looked at stays in the queue. */
export async function opensHttp2(input: ByteQueue): Promise<boolean> {
  let seen: Buffer = Buffer.alloc(0);
  while (seen.length < preface.length && preface.subarray(0, seen.length).equals(seen)) {
    const bytes = await input.next();
    if (bytes === undefined) break;
    seen = Buffer.concat([seen, bytes]);
  }
  input.unread(seen);
  return seen.subarray(0, preface.length).equals(preface);
}
