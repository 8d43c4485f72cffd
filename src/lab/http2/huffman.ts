/** The Huffman code of HPACK (RFC 7541, Appendix B). It is canonical: the lengths of its codes say all. */

/** Bits in the code of each byte, and of EOS behind them, as digits to the base 36. */
const lengths =
  'dnsssssssoussussssssssusssssssss6aacd68baa8b8666555666666678f6cad677777777777777777777' +
  '77878djde6f56565666577666567655677777fbedskmkkmmmnmnnnnnonoomnonnnnlmnmnnomlkmmnnlnmmo' +
  'lmnnllmlnmnnkmmmnmmnqqkjmnmpqqqrrqopjlqrrqrollqqsrrrkoklmllnmmppooqnqrqqrrrrrsrrrrrqu';

const endOfString = 256;
const longestPaddingBits = 7;

/** Inner nodes are pairs, leaves are bytes. */
type Node = number | [zero: Node | undefined, one: Node | undefined];

const root = createTree();

/** The decoded bytes; `undefined` where the code is broken. */
export function decodeHuffman(coded: Buffer): Buffer | undefined {
  const bytes: number[] = [];
  let node = root;
  let pendingBits = 0;
  let isPadding = true;
  for (const byte of coded) {
    for (let mask = 0x80; mask > 0; mask >>= 1) {
      const bit = (byte & mask) === 0 ? 0 : 1;
      const next = node[bit];
      pendingBits += 1;
      isPadding &&= bit === 1;
      if (next === undefined || next === endOfString) return undefined;
      if (typeof next === 'object') {
        node = next;
        continue;
      }
      bytes.push(next);
      node = root;
      pendingBits = 0;
      isPadding = true;
    }
  }
  return isPadding && pendingBits <= longestPaddingBits ? Buffer.from(bytes) : undefined;
}

function createTree(): [Node | undefined, Node | undefined] {
  const tree: [Node | undefined, Node | undefined] = [undefined, undefined];
  const bitsOf = (symbol: number) => Number.parseInt(lengths[symbol]!, 36);
  const symbols = Array.from(lengths, (_digit, symbol) => symbol).sort((a, b) => bitsOf(a) - bitsOf(b) || a - b);
  let code = 0;
  let bits = 0;
  for (const symbol of symbols) {
    code *= 2 ** (bitsOf(symbol) - bits);
    bits = bitsOf(symbol);
    plant(tree, code, bits, symbol);
    code += 1;
  }
  return tree;
}

function plant(tree: [Node | undefined, Node | undefined], code: number, bits: number, symbol: number): void {
  let node = tree;
  for (let shift = bits - 1; shift > 0; shift -= 1) {
    const bit = ((code >>> shift) & 1) as 0 | 1;
    const next = node[bit] ?? [undefined, undefined];
    node[bit] = next;
    node = next as [Node | undefined, Node | undefined];
  }
  node[(code & 1) as 0 | 1] = symbol;
}
