import type { RecordAction } from './delivery.ts';
import type { Wire } from './wire.ts';

/** RFC 8446 5.1: the types of records, and the version that they all say. */
const alertType = 21;
const applicationDataType = 23;
const version = [3, 3];

/** A record of application data that no key has made. */
const undecryptable = Buffer.concat([Buffer.from([applicationDataType, ...version, 0, 64]), Buffer.alloc(64, 0xa5)]);

/** Fatal internal_error in the clear, which nobody should believe once keys are agreed. */
const plainAlert = Buffer.from([alertType, ...version, 0, 2, 2, 80]);

/** Resolves to whether the connection is still there. */
export async function sendTlsRecord({ which }: RecordAction, wire: Wire): Promise<boolean> {
  switch (which) {
    case 'garbage':
      return wire.writeBelow(undecryptable);
    case 'plain-alert':
      return wire.writeBelow(plainAlert);
    case 'alert':
      // Only the TLS stack holds the keys: it says bad_record_mac when it is shown such a record.
      await wire.deceive(undecryptable);
      return false;
  }
}
