/** DNS messages (RFC 1035 4), as much of them as questions for addresses need. Pure. */
import { isIPv4 } from 'node:net';
import type { DnsType } from './plan.ts';

const headerBytes = 12;
const types: { readonly [K in DnsType]: number } = { A: 1, AAAA: 28 };
const internetClass = 1;

export const rcodes = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5 } as const;

/** Bits of the second word of the header. */
const flagBits = { response: 0x8000, truncated: 0x0200, recursionDesired: 0x0100, recursionAvailable: 0x0080 };

export interface DnsQuestion {
  readonly id: number;
  /** In lower case, without the last dot. */
  readonly name: string;
  readonly type: DnsType | 'other';
  /** The question as it came, for the answer to repeat. */
  readonly section: Buffer;
  readonly recursionDesired: boolean;
}

/** The first question; `undefined` where the message is none. */
export function parseQuestion(message: Buffer): DnsQuestion | undefined {
  if (message.length < headerBytes || message.readUInt16BE(4) < 1) return undefined;
  const labels: string[] = [];
  let at = headerBytes;
  for (;;) {
    const labelBytes = message[at];
    if (labelBytes === undefined || labelBytes > 63) return undefined;
    at += 1;
    if (labelBytes === 0) break;
    labels.push(message.toString('latin1', at, at + labelBytes));
    at += labelBytes;
  }
  if (at + 4 > message.length) return undefined;
  const number = message.readUInt16BE(at);
  return {
    id: message.readUInt16BE(0),
    name: labels.join('.').toLowerCase(),
    type: number === types.A ? 'A' : number === types.AAAA ? 'AAAA' : 'other',
    section: message.subarray(headerBytes, at + 4),
    recursionDesired: (message.readUInt16BE(2) & flagBits.recursionDesired) !== 0,
  };
}

export interface DnsReply {
  readonly rcode: number;
  readonly addresses: readonly string[];
  readonly truncated: boolean;
  readonly ttlSeconds: number;
}

export function encodeReply(question: DnsQuestion, reply: DnsReply): Buffer {
  const header = Buffer.alloc(headerBytes);
  const flags =
    flagBits.response |
    flagBits.recursionAvailable |
    (question.recursionDesired ? flagBits.recursionDesired : 0) |
    (reply.truncated ? flagBits.truncated : 0) |
    reply.rcode;
  header.writeUInt16BE(question.id, 0);
  header.writeUInt16BE(flags, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(reply.addresses.length, 6);
  const records = reply.addresses.map((address) => encodeRecord(address, reply.ttlSeconds));
  return Buffer.concat([header, question.section, ...records]);
}

function encodeRecord(address: string, ttlSeconds: number): Buffer {
  const data = addressBytes(address);
  const head = Buffer.alloc(12);
  // RFC 1035 4.1.4: a pointer to the name in the question.
  head.writeUInt16BE(0xc000 | headerBytes, 0);
  head.writeUInt16BE(data.length === 4 ? types.A : types.AAAA, 2);
  head.writeUInt16BE(internetClass, 4);
  head.writeUInt32BE(ttlSeconds, 6);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

function addressBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number));
  const [before = '', after = ''] = address.split('::');
  const words = (text: string) => (text === '' ? [] : text.split(':').map((word) => Number.parseInt(word, 16)));
  const [first, last] = [words(before), words(after)];
  const gap = Array.from({ length: 8 - first.length - last.length }, () => 0);
  const bytes = Buffer.alloc(16);
  for (const [index, word] of [...first, ...gap, ...last].entries()) bytes.writeUInt16BE(word, index * 2);
  return bytes;
}
