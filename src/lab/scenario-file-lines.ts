import type { Document, LineCounter, Node } from 'yaml';

type Yaml = typeof import('yaml');

/** The line (1-based) on which a field such as `requests[0].do.kind` stands; of what it is missing from where it does not. */
export function lineOf(yaml: Yaml, document: Document, lines: LineCounter, field: string): number {
  let place: Node | null = document.contents;
  let offset = startOf(place) ?? 0;
  for (const step of stepsOf(field)) {
    const found: Found | undefined = place === null ? undefined : stepInto(yaml, document, place, step);
    if (found === undefined) break;
    offset = found.offset ?? offset;
    place = found.node;
  }
  return lines.linePos(offset).line;
}

interface Found {
  readonly node: Node | null;
  readonly offset: number | undefined;
}

function stepInto(yaml: Yaml, document: Document, place: Node, step: string): Found | undefined {
  const node = yaml.isAlias(place) ? place.resolve(document) : place;
  if (yaml.isMap(node)) {
    const pair = node.items.find(({ key }) => yaml.isScalar(key) && String(key.value) === step);
    return pair && { node: pair.value as Node | null, offset: startOf(pair.key as Node) };
  }
  if (!yaml.isSeq(node)) return undefined;
  const item = node.items[Number(step)] as Node | undefined;
  return item && { node: item, offset: startOf(item) };
}

function stepsOf(field: string): readonly string[] {
  return field.match(/[^.[\]]+/g) ?? [];
}

function startOf(node: Node | null): number | undefined {
  return node?.range?.[0];
}
