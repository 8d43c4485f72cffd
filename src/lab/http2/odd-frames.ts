import type { OddFrame } from '../scenario.ts';
import { flags, frame, frameTypes, maxPayloadBytes, windowUpdateFrame } from './frames.ts';

/** The bytes of a frame that a right server never sends (but `unknown-type`, which a right client must pass over). */
export function oddFrame(which: OddFrame, streamId: number): Buffer {
  switch (which) {
    case 'unknown-type':
      return frame(0xbe, 0xff, streamId, Buffer.from('from a later version'));
    case 'data-on-stream-0':
      return frame(frameTypes.data, flags.none, 0, Buffer.from('nobody asked for this'));
    case 'oversized':
      return frame(0xbe, flags.none, streamId, Buffer.alloc(maxPayloadBytes + 1));
    case 'bad-headers':
      // An indexed field of an entry that no table has.
      return frame(frameTypes.headers, flags.endHeaders, streamId, Buffer.from([0xff, 0xff, 0x7f]));
    case 'window-overflow':
      return Buffer.concat([windowUpdateFrame(0, 2 ** 31 - 1), windowUpdateFrame(0, 2 ** 31 - 1)]);
    case 'junk':
      return Buffer.from('HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n', 'latin1');
  }
}
