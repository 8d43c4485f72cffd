/**
 * Finds many literal texts in one pass (Aho and Corasick, 1975): each character is looked at once, whatever the texts and
 * whatever the line, so that no log can make the search slow. ASCII letters are folded; curly quotes count as straight ones.
 */
export interface LiteralScanner {
  /** Calls back for every occurrence, in the order of their ends; the end is exclusive. */
  scan(line: string, onFound: (literalIndex: number, end: number) => void): void;
}

export function createLiteralScanner(literals: readonly string[]): LiteralScanner {
  const classOf = classesOf(literals);
  const classCount = Math.max(...classOf) + 1;
  const { next, found } = buildAutomaton(literals, classOf, classCount);
  return {
    scan(line, onFound) {
      let state = 0;
      for (let index = 0; index < line.length; index += 1) {
        state = next[state * classCount + classOf[fold(line.charCodeAt(index))]!]!;
        const ended = found[state];
        if (ended !== undefined) for (const literal of ended) onFound(literal, index + 1);
      }
    },
  };
}

const OTHER = 0x7f;

function fold(code: number): number {
  if (code === 0x2018 || code === 0x2019) return 0x27;
  if (code === 0x201c || code === 0x201d) return 0x22;
  if (code > 0x7e) return OTHER;
  return code >= 0x41 && code <= 0x5a ? code + 32 : code;
}

/** Characters that no literal holds are one class, 0: the tables stay small. */
function classesOf(literals: readonly string[]): Uint8Array {
  const classes = new Uint8Array(128);
  let used = 0;
  for (const literal of literals) {
    for (let index = 0; index < literal.length; index += 1) {
      const code = fold(literal.charCodeAt(index));
      if (code === OTHER) throw new Error(`a literal must be ASCII: ${literal}`);
      if (classes[code] === 0) {
        used += 1;
        classes[code] = used;
      }
    }
  }
  return classes;
}

interface Automaton {
  readonly next: Int32Array;
  readonly found: readonly (readonly number[] | undefined)[];
}

function buildAutomaton(literals: readonly string[], classOf: Uint8Array, classCount: number): Automaton {
  const stateLimit = literals.reduce((sum, literal) => sum + literal.length, 1);
  const next = new Int32Array(stateLimit * classCount);
  const found: (number[] | undefined)[] = [undefined];
  let stateCount = 1;
  literals.forEach((literal, literalIndex) => {
    let state = 0;
    for (let index = 0; index < literal.length; index += 1) {
      const edge = state * classCount + classOf[fold(literal.charCodeAt(index))]!;
      if (next[edge] === 0) {
        next[edge] = stateCount;
        found[stateCount] = undefined;
        stateCount += 1;
      }
      state = next[edge]!;
    }
    found[state] = [...(found[state] ?? []), literalIndex];
  });
  linkSuffixes(next, found, classCount, stateCount);
  return { next, found };
}

/** Breadth first: where a state has no edge, it takes that of its longest proper suffix, which is complete already. */
function linkSuffixes(next: Int32Array, found: (number[] | undefined)[], classCount: number, stateCount: number): void {
  const suffix = new Int32Array(stateCount);
  const queue: number[] = [];
  for (let edge = 0; edge < classCount; edge += 1) if (next[edge] !== 0) queue.push(next[edge]!);
  for (let head = 0; head < queue.length; head += 1) {
    const state = queue[head]!;
    const link = suffix[state]!;
    const inherited = found[link];
    if (inherited !== undefined) found[state] = [...(found[state] ?? []), ...inherited];
    for (let edge = 0; edge < classCount; edge += 1) {
      const target = next[state * classCount + edge]!;
      const fallback = next[link * classCount + edge]!;
      if (target === 0) next[state * classCount + edge] = fallback;
      else {
        suffix[target] = fallback;
        queue.push(target);
      }
    }
  }
}
