/** Bytes that are made when they are read, so that a body of many GiB needs no memory. */
export interface ByteSource {
  readonly sizeBytes: number;
  /** The bytes [from, to); both must lie inside of the source. The result must not be written to. */
  read(from: number, to: number): Buffer;
}

export const emptySource: ByteSource = { sizeBytes: 0, read: () => Buffer.alloc(0) };

export function sourceOfBytes(bytes: Buffer): ByteSource {
  return { sizeBytes: bytes.length, read: (from, to) => bytes.subarray(from, to) };
}

export function sourceOfText(text: string): ByteSource {
  return sourceOfBytes(Buffer.from(text, 'utf8'));
}

/** A body that a plan holds verbatim, if it does. */
export function verbatimSource(plan: {
  readonly bodyText?: string;
  readonly bodyBase64?: string;
}): ByteSource | undefined {
  if (plan.bodyBase64 !== undefined) return sourceOfBytes(Buffer.from(plan.bodyBase64, 'base64'));
  return plan.bodyText === undefined ? undefined : sourceOfText(plan.bodyText);
}

/** Part [from, to) of a source. */
export function partOf(source: ByteSource, from: number, to: number): ByteSource {
  return { sizeBytes: to - from, read: (start, end) => source.read(from + start, from + end) };
}

/** Sources one behind the other. */
export function joined(...sources: readonly ByteSource[]): ByteSource {
  const sizeBytes = sources.reduce((sum, source) => sum + source.sizeBytes, 0);
  return {
    sizeBytes,
    read(from, to) {
      const parts: Buffer[] = [];
      let base = 0;
      for (const source of sources) {
        const start = Math.max(from - base, 0);
        const end = Math.min(to - base, source.sizeBytes);
        if (start < end) parts.push(source.read(start, end));
        base += source.sizeBytes;
      }
      return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
    },
  };
}

/** A long page of nothing, as error pages can be. */
export function filler(sizeBytes: number): ByteSource {
  return { sizeBytes, read: (from, to) => Buffer.alloc(to - from, '<!-- filler -->\n') };
}

/** The same source with every bit of the bytes [from, to) turned over. */
export function flipped(source: ByteSource, from: number, to: number): ByteSource {
  return {
    sizeBytes: source.sizeBytes,
    read(start, end) {
      const first = Math.max(from, start);
      const last = Math.min(to, end);
      if (first >= last) return source.read(start, end);
      const copy = Buffer.from(source.read(start, end));
      for (let index = first - start; index < last - start; index += 1) copy[index] = ~copy[index]! & 0xff;
      return copy;
    },
  };
}

/** `source` with the bytes [from, to) taken from `other`. */
export function patched(source: ByteSource, other: ByteSource, from: number, to: number): ByteSource {
  const end = Math.min(to, source.sizeBytes, other.sizeBytes);
  const start = Math.min(from, end);
  return joined(partOf(source, 0, start), partOf(other, start, end), partOf(source, end, source.sizeBytes));
}
