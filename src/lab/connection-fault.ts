import type { Afterwards } from './answer-writer.ts';
import type { ConnectionFault } from './scenario.ts';
import type { Wire } from './wire.ts';

/** Plays what happens to a connection before its first request; `next` goes on to serve it. */
export async function disturb(fault: ConnectionFault | undefined, wire: Wire): Promise<Afterwards> {
  switch (fault?.kind) {
    case undefined:
    case 'certificate':
      return 'next';
    case 'cut':
      await wire.pause(fault.afterMs ?? 0);
      return close(wire, fault.by);
    case 'stall':
      if (await wire.pause(fault.forMs ?? 2 ** 31 - 1)) return 'next';
      return close(wire, 'fin');
    case 'tls-cut':
      await wire.input.next();
      return close(wire, fault.by);
    case 'tls-alert':
      await wire.input.next();
      // RFC 8446 5.1 and 6: record type 21 (alert), level 2 (fatal).
      await wire.write([Buffer.from([21, 3, 3, 0, 2, 2, fault.alert])]);
      return close(wire, 'fin');
    case 'tls-garbage':
      await wire.input.next();
      await wire.write([Buffer.from('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n')]);
      return close(wire, 'fin');
  }
}

function close(wire: Wire, by: 'rst' | 'fin' | 'bare-fin'): Afterwards {
  wire.close(by);
  return 'over';
}
