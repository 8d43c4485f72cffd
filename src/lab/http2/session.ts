import type { ConnectionHost, ConnectionLines } from '../exchange.ts';
import type { RequestHead } from '../request-reader.ts';
import type { EndedHow, Http2Code } from '../scenario.ts';
import { Signals } from '../signals.ts';
import type { Wire } from '../wire.ts';
import { headFromFields } from './fields.ts';
import {
  type Frame,
  FrameReader,
  flags,
  frame,
  frameTypes,
  goawayFrame,
  preface,
  settingsFrame,
  windowUpdateFrame,
} from './frames.ts';
import { HpackDecoder, HpackError } from './hpack.ts';
import { serveStream } from './serve-stream.ts';
import { Stream } from './stream.ts';
import type { StreamHost } from './stream-host.ts';

/** Settings (RFC 9113 6.5.2): what we announce, and the one of the client's that we look at. */
const initialWindowSize = 4;
const ourWindowBytes = 1024 * 1024;
const ourSettings = [
  [3, 128],
  [initialWindowSize, ourWindowBytes],
] as const;

const defaultWindowBytes = 65_535;
const largestWindowBytes = 2 ** 31 - 1;

/** Serves one accepted connection to its end over HTTP/2, frame by frame. */
export class Http2Session implements StreamHost {
  readonly wire: Wire;
  readonly host: ConnectionHost;
  readonly lines: ConnectionLines;
  readonly #streams = new Map<number, Stream>();
  readonly #serving = new Set<Promise<void>>();
  readonly #signals = new Signals();
  readonly #decoder = new HpackDecoder();
  readonly #reader: FrameReader;
  #tail: Promise<boolean> = Promise.resolve(true);
  #windowBytes = defaultWindowBytes;
  #streamWindowBytes = defaultWindowBytes;
  #lastStreamId = 0;
  #requestCount = 0;
  /** Streams above it are not served any more. */
  #goawayAbove = Number.POSITIVE_INFINITY;
  #cutBy: EndedHow | undefined;

  constructor(wire: Wire, lines: ConnectionLines, host: ConnectionHost) {
    this.wire = wire;
    this.lines = lines;
    this.host = host;
    this.#reader = new FrameReader(wire.input);
  }

  get cutBy(): EndedHow | undefined {
    return this.#cutBy;
  }

  async serve(): Promise<void> {
    await this.#reader.read(preface.length);
    void this.send([settingsFrame(ourSettings)]);
    try {
      while (await this.#readFrame());
    } finally {
      for (const stream of this.#streams.values()) stream.leave();
      this.#signals.changed();
      await Promise.all(this.#serving);
      this.wire.close('fin');
    }
  }

  send(parts: readonly Buffer[]): Promise<boolean> {
    this.#tail = this.#tail.then(() => this.wire.write(parts));
    return this.#tail;
  }

  async reserve(stream: Stream, wantedBytes: number): Promise<number> {
    const allowed = () => Math.min(this.#windowBytes, stream.windowBytes);
    await this.#signals.until(() => stream.hasLeft || allowed() > 0).catch(() => stream.leave());
    if (stream.hasLeft) return 0;
    const bytes = Math.min(wantedBytes, allowed());
    this.#windowBytes -= bytes;
    stream.windowBytes -= bytes;
    return bytes;
  }

  consumed(stream: Stream, bytes: number): void {
    void this.send([windowUpdateFrame(stream.id, bytes)]);
  }

  async goaway(lastStreamId: number, code: Http2Code): Promise<void> {
    this.#goawayAbove = Math.min(this.#goawayAbove, lastStreamId);
    await this.send([goawayFrame(lastStreamId, code)]);
  }

  cut(by: EndedHow): void {
    this.#cutBy = by;
    this.wire.close(by);
  }

  async #readFrame(): Promise<boolean> {
    const read = await this.#reader.next();
    if (read === undefined) return false;
    if (read === 'too-large') return this.#fail('FRAME_SIZE_ERROR');
    try {
      return await this.#take(read);
    } catch (error) {
      if (error instanceof HpackError) return this.#fail('COMPRESSION_ERROR');
      if (error instanceof RangeError) return this.#fail('FRAME_SIZE_ERROR');
      throw error;
    }
  }

  async #take(read: Frame): Promise<boolean> {
    const { type, payload, streamId } = read;
    const isAck = (read.flags & flags.ack) !== 0;
    switch (type) {
      case frameTypes.headers:
        return this.#takeHeaders(read);
      case frameTypes.data:
        this.#takeData(read);
        return true;
      case frameTypes.settings:
        if (!isAck) this.#takeSettings(payload);
        return true;
      case frameTypes.ping:
        if (!isAck) void this.send([frame(frameTypes.ping, flags.ack, 0, payload)]);
        return true;
      case frameTypes.windowUpdate:
        this.#widen(streamId, payload.readUInt32BE(0) & largestWindowBytes);
        return true;
      case frameTypes.rstStream:
        this.#streams.get(streamId)?.leave();
        this.#signals.changed();
        return true;
      case frameTypes.continuation:
        return this.#fail('PROTOCOL_ERROR');
      default:
        return true;
    }
  }

  #takeSettings(payload: Buffer): void {
    for (let at = 0; at < payload.length; at += 6) {
      if (payload.readUInt16BE(at) !== initialWindowSize) continue;
      const windowBytes = payload.readUInt32BE(at + 2);
      for (const stream of this.#streams.values()) stream.windowBytes += windowBytes - this.#streamWindowBytes;
      this.#streamWindowBytes = windowBytes;
    }
    void this.send([frame(frameTypes.settings, flags.ack, 0, Buffer.alloc(0))]);
    this.#signals.changed();
  }

  #widen(streamId: number, bytes: number): void {
    const stream = this.#streams.get(streamId);
    if (streamId === 0) this.#windowBytes += bytes;
    else if (stream !== undefined) stream.windowBytes += bytes;
    this.#signals.changed();
  }

  #takeData({ flags: flagBits, payload, streamId }: Frame): void {
    // The window of the connection is given back at once, that of the stream when its body is read.
    if (payload.length > 0) void this.send([windowUpdateFrame(0, payload.length)]);
    const stream = this.#streams.get(streamId);
    if (stream === undefined) return;
    const content = unpadded(payload, flagBits);
    const overheadBytes = payload.length - content.length;
    if (overheadBytes > 0) this.consumed(stream, overheadBytes);
    if (content.length > 0) stream.input.push(content);
    if ((flagBits & flags.endStream) !== 0) stream.input.end();
  }

  async #takeHeaders(first: Frame): Promise<boolean> {
    const { streamId } = first;
    const isWhole = (first.flags & flags.endStream) !== 0;
    let block = unpadded(first.payload, first.flags);
    if ((first.flags & flags.priority) !== 0) block = block.subarray(5);
    for (let last = first; (last.flags & flags.endHeaders) === 0; ) {
      const next = await this.#reader.next();
      if (next === undefined) return false;
      if (next === 'too-large' || next.type !== frameTypes.continuation || next.streamId !== streamId) {
        return this.#fail('PROTOCOL_ERROR');
      }
      block = Buffer.concat([block, next.payload]);
      last = next;
    }
    const fields = this.#decoder.decode(block);
    const known = this.#streams.get(streamId);
    if (known !== undefined) {
      // Trailers; nothing of the lab looks at them.
      known.input.end();
      return true;
    }
    const head = headFromFields(fields);
    if (head === undefined || streamId % 2 === 0 || streamId <= this.#lastStreamId) return this.#fail('PROTOCOL_ERROR');
    this.#open(streamId, head, isWhole ? 'whole' : 'with-body');
    return true;
  }

  #open(streamId: number, head: RequestHead, request: 'whole' | 'with-body'): void {
    this.#lastStreamId = streamId;
    this.#requestCount += 1;
    const stream = new Stream(streamId, this.#streamWindowBytes);
    if (request === 'whole') stream.input.end();
    this.#streams.set(streamId, stream);
    const served = serveStream(this, stream, head, this.#requestCount, streamId > this.#goawayAbove).finally(() => {
      this.#streams.delete(streamId);
      this.#serving.delete(served);
      if (this.#goawayAbove < Number.POSITIVE_INFINITY && this.#streams.size === 0) this.wire.close('fin');
    });
    this.#serving.add(served);
  }

  async #fail(code: Http2Code): Promise<false> {
    await this.send([goawayFrame(this.#lastStreamId, code)]);
    return false;
  }
}

/** The payload without its padding (RFC 9113 6.1). */
function unpadded(payload: Buffer, flagBits: number): Buffer {
  if ((flagBits & flags.padded) === 0) return payload;
  return payload.subarray(1, Math.max(1, payload.length - (payload[0] ?? 0)));
}
