/** `-i LIST`: lines of URLs, or of JSON objects. All mistakes are found here, before anything happens. */
import { readFile } from 'node:fs/promises';
import { ConfigError, redactUrl, show } from '../core/index.ts';
import { mistakeIn } from '../download/index.ts';

export interface ListEntry {
  /** `LIST:LINE` */
  readonly place: string;
  readonly url: string;
  readonly output: string | undefined;
  readonly checksum?: string;
  readonly size?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly mirrors?: readonly string[];
}

/** One person reads them. */
const MAX_MISTAKES = 10;
const MAX_LIST_BYTES = 256 * 1_048_576;

const fieldTypes: Readonly<Record<string, readonly [must: string, isRight: (value: unknown) => boolean]>> = {
  url: ['text', isText],
  output: ['text', isText],
  checksum: ['text', isText],
  size: ['a whole number of bytes', (value) => typeof value === 'number'],
  headers: ['an object of texts', (value) => isObject(value) && Object.values(value).every(isText)],
  mirrors: ['a list of URLs', (value) => Array.isArray(value) && value.every(isText)],
};

/** @throws ConfigError if it cannot be read */
export async function readList(list: string): Promise<readonly ListEntry[]> {
  if (list === '') throw new ConfigError('Cannot use -i as it must be a file, or - for stdin: received ""');
  return parseList(await readText(list), list === '-' ? 'stdin' : list);
}

async function readText(list: string): Promise<string> {
  if (list !== '-') {
    return readFile(list, 'utf8').catch(() => {
      throw new ConfigError(`Cannot use -i as it must be a readable file, or - for stdin: received ${show(list)}`);
    });
  }
  let text = '';
  for await (const chunk of process.stdin.setEncoding('utf8')) {
    text += chunk as string;
    if (text.length > MAX_LIST_BYTES) throw new ConfigError('Cannot use -i as stdin must be a list: received 256 MiB');
  }
  return text;
}

/** @throws ConfigError with a line per mistake */
export function parseList(text: string, name: string): readonly ListEntry[] {
  const entries: ListEntry[] = [];
  const mistakes: string[] = [];
  for (const [i, raw] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const place = `${name}:${i + 1}`;
    const entry = line.startsWith('{') ? fromJson(line, place) : { place, url: line, output: undefined };
    const mistake = typeof entry === 'string' ? entry : mistakeIn({ ...entry, to: entry.output ?? 'name' });
    if (mistake !== undefined) mistakes.push(`${place}: ${mistake}`);
    else entries.push(entry as ListEntry);
  }
  if (mistakes.length > 0) throw new ConfigError(describeMistakes(mistakes));
  if (entries.length === 0) throw new ConfigError(`Cannot use ${name} as it must have at least one URL: received none`);
  return entries;
}

function describeMistakes(mistakes: readonly string[]): string {
  const shown = mistakes.slice(0, MAX_MISTAKES);
  const more = mistakes.length - shown.length;
  const rest = more === 0 ? [] : [`… and ${more} more`];
  const head = 'Cannot download as each line of the list must be a URL or a JSON object, and nothing was started';
  return [`${head}:`, ...shown, ...rest].join('\n  ');
}

/** A text is a mistake. */
function fromJson(line: string, place: string): ListEntry | string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return `the line must be a JSON object on one line: received ${show(shorten(line))}`;
  }
  if (!isObject(value)) return `the line must be a JSON object: received ${show(shorten(line))}`;
  const known = Object.keys(fieldTypes).join(', ');
  for (const [field, content] of Object.entries(value)) {
    const type = fieldTypes[field];
    if (type === undefined) return `${field} must be left out, or be one of ${known}: received ${show(field)}`;
    if (!type[1](content)) return `${field} must be ${type[0]}: received ${showContent(field, content)}`;
  }
  if (value.url === undefined) return `url must be there: received ${show(Object.keys(value).join(', '))}`;
  return { place, output: undefined, ...value } as unknown as ListEntry;
}

/** A header may be a secret. */
function showContent(field: string, content: unknown): string {
  return field === 'headers' ? 'something else' : redactUrl(show(content));
}

function shorten(line: string): string {
  return line.length > 40 ? `${redactUrl(line.slice(0, 40))}…` : redactUrl(line);
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
