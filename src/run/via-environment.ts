/** The environment and the words of a command that is pointed at a mirror. Pure. */
import type { ToolName } from './recogniser.ts';
import type { Place, ViaRow, ViaVariable } from './via-rows.ts';

export interface Pointed {
  readonly env: NodeJS.ProcessEnv;
  /** To be put right behind the tool's name. */
  readonly words: readonly string[];
  /** Names of what was set. */
  readonly set: readonly string[];
  /** What could not be done, and why. */
  readonly notes: readonly string[];
}

export interface Pointing {
  readonly row: ViaRow;
  readonly place: Place;
}

export function pointAt(
  pointings: readonly Pointing[],
  given: NodeJS.ProcessEnv,
  tool: ToolName | undefined,
  args: readonly string[],
): readonly (Pointed & { readonly row: ViaRow })[] {
  let env = withoutProxy(given);
  return pointings.map(({ row, place }) => {
    const pointed = pointOne(row, place, env, tool, args);
    env = pointed.env;
    return { row, ...pointed };
  });
}

function pointOne(
  row: ViaRow,
  place: Place,
  given: NodeJS.ProcessEnv,
  tool: ToolName | undefined,
  args: readonly string[],
): Pointed {
  const env = { ...given };
  const set: string[] = [];
  const notes: string[] = [];
  for (const variable of row.variables) {
    const value = newValueOf(variable, env[variable.name], place);
    if (value !== undefined) {
      env[variable.name] = value;
      set.push(variable.name);
    } else if (variable.kind !== 'setting') notes.push(stays(variable.name, row.name));
  }
  const settings = row.gitConfig?.(place) ?? [];
  if (settings.length > 0) {
    addGitConfig(env, settings);
    set.push('GIT_CONFIG_COUNT');
  }
  const own = row.ownWords?.tools.includes(tool!) ? args.find((word) => row.ownWords!.pattern.test(word)) : undefined;
  if (own !== undefined) {
    notes.push(`the command itself says ${own.split('=')[0]}: that one is asked, and not the mirror of ${row.name}`);
  }
  if (row.words === undefined) return { env, words: [], set, notes };
  if (tool === row.words.tool) return { env, words: row.words.of(place), set: [...set, '--config'], notes };
  notes.push(`no variable points at the mirror of ${row.name} (${row.words.why}): only the command itself can be told`);
  return { env, words: [], set, notes };
}

const stays = (variable: string, name: string) =>
  `${variable} is set to another place and stays; --via ${name}=THAT puts the mirror in front of it`;

/** @returns nothing where what is set must stay */
function newValueOf({ kind, value }: ViaVariable, before: string | undefined, place: Place): string | undefined {
  if (before === undefined || before.trim() === '') return value(place);
  const isIn = (url: string) => place.upstreams.some((upstream) => isSamePlace(url, upstream));
  if (kind === 'address') return isIn(before) ? value(place) : undefined;
  if (kind === 'setting') return undefined;
  const [ours = ''] = value(place)!.split(',');
  const after = before.replace(/[^,|]+/g, (each) => (isIn(each) ? ours : each));
  return after === before ? undefined : after;
}

function isSamePlace(one: string, other: string): boolean {
  if (!URL.canParse(one.trim())) return false;
  const [a, b] = [new URL(one.trim()), new URL(other)];
  const path = ({ pathname }: URL) => pathname.replace(/\/+$/, '');
  return a.origin === b.origin && path(a) === path(b);
}

/** Behind what the user has set in the same way. */
function addGitConfig(env: NodeJS.ProcessEnv, settings: readonly (readonly [key: string, value: string])[]): void {
  const given = Number(env.GIT_CONFIG_COUNT ?? 0);
  const first = Number.isSafeInteger(given) && given > 0 ? given : 0;
  settings.forEach(([key, value], index) => {
    env[`GIT_CONFIG_KEY_${first + index}`] = key;
    env[`GIT_CONFIG_VALUE_${first + index}`] = value;
  });
  env.GIT_CONFIG_COUNT = String(first + settings.length);
}

const proxies = ['http_proxy', 'HTTP_PROXY', 'all_proxy', 'ALL_PROXY', 'https_proxy', 'HTTPS_PROXY'];

/** A tool that talks through a proxy would ask that one for our loopback address; the mirror uses the proxy itself. */
function withoutProxy(given: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  if (!proxies.some((name) => (given[name] ?? '') !== '')) return given;
  const env = { ...given };
  const before = given.no_proxy ?? given.NO_PROXY ?? '';
  const after = before.trim() === '' ? '127.0.0.1' : `${before},127.0.0.1`;
  return Object.assign(env, { no_proxy: after, NO_PROXY: after });
}
