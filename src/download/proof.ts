/** What the end of a download is worth: pure, so that every case can be told apart by a test. */
import { groupDigits, type Integrity } from '../core/index.ts';
import type { Checksum } from './checksum.ts';

export interface EndFacts {
  readonly bytes: number;
  /** How the transport knows the end: by length, by framing, or not at all. */
  readonly integrity: Integrity | undefined;
  readonly expected: (Checksum & { readonly from: 'caller' | 'server' }) | undefined;
  /** By the expected algorithm, or SHA-256. */
  readonly actualHex: string;
  readonly memory: EndMemory;
  /** An end that nothing proves is a failure. */
  readonly requiresProof?: boolean;
}

/** What earlier ends of the same download taught. */
export interface EndMemory {
  /** Wrong contents, by digest. */
  readonly wrongHexes: readonly string[];
  /** A whole content was wrong, and has been asked for again past caches. */
  readonly hasRefetched: boolean;
  readonly sawEmpty: boolean;
}

export const freshMemory: EndMemory = { wrongHexes: [], hasRefetched: false, sawEmpty: false };

export type EndVerdict =
  | { readonly kind: 'proven'; readonly integrity: Integrity; readonly note: string | undefined }
  /** A failed attempt; everything is asked for again. */
  | {
      readonly kind: 'again';
      readonly because: 'suspicious' | 'truncated' | 'digest-mismatch';
      readonly what: string;
      readonly memory: EndMemory;
    }
  | { readonly kind: 'wrong'; readonly what: string };

export function judgeEnd(facts: EndFacts): EndVerdict {
  const { expected, actualHex, bytes } = facts;
  if (expected !== undefined) {
    return expected.hex === actualHex ? proven('digest', undefined) : judgeMismatch(facts, expected);
  }
  if (bytes === 0) return judgeEmpty(facts);
  return proveByTransport(facts, undefined);
}

function proven(integrity: Integrity, note: string | undefined): EndVerdict {
  return { kind: 'proven', integrity, note };
}

function proveByTransport(
  { integrity = 'unverifiable', requiresProof }: EndFacts,
  note: string | undefined,
): EndVerdict {
  if (integrity !== 'unverifiable' || requiresProof !== true) return proven(integrity, note);
  return { kind: 'wrong', what: 'nothing proves its end: neither a length nor a digest, and proof is required' };
}

/** Middleboxes answer 200 with nothing; files are rarely empty. Seen twice, it is taken for what it is. */
function judgeEmpty(facts: EndFacts): EndVerdict {
  const { memory } = facts;
  if (memory.sawEmpty) return proveByTransport(facts, 'the file is empty: the server said so twice');
  const next = { ...memory, sawEmpty: true };
  return { kind: 'again', because: 'suspicious', what: 'an empty body where a file was expected', memory: next };
}

function judgeMismatch(facts: EndFacts, expected: NonNullable<EndFacts['expected']>): EndVerdict {
  const { memory, actualHex, bytes } = facts;
  if (bytes === 0) {
    return { kind: 'again', because: 'suspicious', what: 'an empty body where a digest promised another', memory };
  }
  const whose = expected.from === 'caller' ? 'expected' : 'the server promised';
  const what = `${whose} ${expected.algorithm} ${expected.hex}, got ${actualHex} in ${groupDigits(bytes)} bytes`;
  // The same wrong bytes twice are no accident of the wire.
  const isSettled = memory.wrongHexes.includes(actualHex);
  const isWhole = facts.integrity === 'length' || facts.integrity === 'framing';
  if (isSettled) return { kind: 'wrong', what: `${what}; the same content came twice` };
  if (isWhole && memory.hasRefetched) return { kind: 'wrong', what };
  const next: EndMemory = {
    ...memory,
    wrongHexes: [...memory.wrongHexes, actualHex],
    hasRefetched: memory.hasRefetched || isWhole,
  };
  // Without proof of its length a wrong body is most likely a cut one.
  const because = isWhole ? 'digest-mismatch' : 'truncated';
  return { kind: 'again', because, what: `wrong content (${what})`, memory: next };
}
