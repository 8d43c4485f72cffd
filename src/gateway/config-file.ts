/** Configuration from YAML or JSON: what is wrong is told with file, line, field, and what would be right. */
import { readFile } from 'node:fs/promises';
import { type Document, isMap, isScalar, LineCounter, type Node, parseDocument } from 'yaml';
import type { z } from 'zod';
import { ConfigError, redactUrl } from '../core/index.ts';
import { configSchema, type GatewayConfig } from './config-schema.ts';

/** @throws ConfigError with one line for each mistake: `FILE:LINE: FIELD must …: received …` */
export async function loadConfig(path: string): Promise<GatewayConfig> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new ConfigError(`${path}: cannot be read: ${(error as Error).message}`);
  }
  return parseConfig(text, path);
}

/** The same from text; `name` stands in messages. @throws ConfigError */
export function parseConfig(text: string, name: string): GatewayConfig {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'silent' });
  const [broken] = document.errors;
  if (broken !== undefined)
    throw new ConfigError(`${name}:${lines.linePos(broken.pos[0]).line}: ${broken.message.split('\n', 1)[0]}`);
  const value: unknown = document.toJS();
  const checked = configSchema.safeParse(value);
  if (checked.success) return value as GatewayConfig;
  const mistakes = checked.error.issues.flatMap((issue) => mistakesOf(issue));
  throw new ConfigError(mistakes.map((mistake) => tell(mistake, name, document, lines)).join('\n'));
}

/** What a program gives to `createGateway`. @throws ConfigError */
export function checkConfig(value: unknown): GatewayConfig {
  const checked = configSchema.safeParse(value);
  if (checked.success) return value as GatewayConfig;
  const [first] = checked.error.issues.flatMap((issue) => mistakesOf(issue));
  const { path, must, received } = first!;
  throw new ConfigError(`Cannot create a gateway as ${fieldOf(path)} must ${must}: received ${shown(received)}`);
}

interface Mistake {
  readonly path: readonly PropertyKey[];
  readonly must: string;
  readonly received: unknown;
  /** The key itself is wrong, not its value. */
  readonly isKey?: boolean;
}

type Issue = z.core.$ZodIssue;

function mistakesOf(issue: Issue): readonly Mistake[] {
  const { path } = issue;
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({
        path: [...path, key],
        must: 'be absent: it is not known here',
        received: key,
        isKey: true,
      }));
    case 'invalid_union':
      return [closestOf(issue)];
    case 'invalid_type':
      return [
        { path, must: `be ${/^[aeiou]/.test(issue.expected) ? 'an' : 'a'} ${issue.expected}`, received: issue.input },
      ];
    case 'invalid_value':
      return [{ path, must: `be one of ${issue.values.map(String).join(', ')}`, received: issue.input }];
    case 'too_small':
      return [
        {
          path,
          must: issue.origin === 'array' || issue.origin === 'string' ? 'not be empty' : `be at least ${issue.minimum}`,
          received: issue.input,
        },
      ];
    case 'too_big':
      return [{ path, must: `be at most ${issue.maximum}`, received: issue.input }];
    default:
      return [{ path, must: issue.message, received: issue.input }];
  }
}

/** Of the forms that a value may have, the one that is nearest to what was written: a field inside of it is wrong. */
function closestOf(issue: Issue & { readonly code: 'invalid_union' }): Mistake {
  const deeper = issue.errors
    .filter((issues) => issues.every(({ path, code }) => path.length > 0 || code === 'unrecognized_keys'))
    .toSorted((left, right) => left.length - right.length)[0];
  const inner = deeper?.[0];
  if (inner === undefined) return { path: issue.path, must: issue.message, received: issue.input };
  const [mistake] = mistakesOf(inner);
  return { ...mistake!, path: [...issue.path, ...mistake!.path] };
}

function tell(mistake: Mistake, name: string, document: Document, lines: LineCounter): string {
  const { path, must, isKey } = mistake;
  const received = isKey ? path.at(-1) : valueAt(document, path);
  return `${name}:${lineOf(document, lines, path)}: ${fieldOf(path)} must ${must}: received ${shown(received)}`;
}

function valueAt(document: Document, path: readonly PropertyKey[]): unknown {
  const node = path.length === 0 ? document.contents : document.getIn(path as PropertyKey[] as string[], true);
  return (node as { toJS?: (document: Document) => unknown } | undefined)?.toJS?.(document);
}

/** The line of the field, or of the nearest thing around it that is there. */
function lineOf(document: Document, lines: LineCounter, path: readonly PropertyKey[]): number {
  for (let depth = path.length; depth > 0; depth -= 1) {
    const parent = document.getIn(path.slice(0, depth - 1) as string[], true);
    const key = path[depth - 1];
    const pair = isMap(parent) ? parent.items.find((item) => isScalar(item.key) && item.key.value === key) : undefined;
    const node = (pair?.key ?? (isMap(parent) ? undefined : document.getIn(path.slice(0, depth) as string[], true))) as
      | Node
      | undefined;
    const offset = node?.range?.[0];
    if (offset !== undefined) return lines.linePos(offset).line;
  }
  return 1;
}

/** `pools.chat.upstreams[0].url` */
function fieldOf(path: readonly PropertyKey[]): string {
  if (path.length === 0) return 'the configuration';
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`;
    return text === '' ? String(step) : `${text}.${String(step)}`;
  }, '');
}

function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value) ?? String(value);
  return redactUrl(text.length > 80 ? `${text.slice(0, 77)}...` : text);
}
