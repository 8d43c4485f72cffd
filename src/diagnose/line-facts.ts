/** What else a line tells beside its trouble: hosts, addresses, times, methods, commands. All of it bounded and data only. */
import type { Tool } from './explain-row.ts';
import { hideSecrets } from './redact-line.ts';

const MAX_URL_CHARACTERS = 400;
/** Further into a line nobody writes what it is about. */
const MAX_READ_CHARACTERS = 4_096;

const urlText = /\bhttps?:\/\/[^\s"'`<>(){}[\]|\\^,]{1,2000}/g;

/** The URLs of a line, without credentials, query and fragment, which would carry secrets and rarely matter. */
export function urlsIn(line: string): readonly string[] {
  const found: string[] = [];
  for (const [text] of line.slice(0, MAX_READ_CHARACTERS).matchAll(urlText)) {
    const bare = text.split(/[?#]/, 1)[0]!.replace(/[.:;]+$/, '');
    if (bare.length > MAX_URL_CHARACTERS || !URL.canParse(bare)) continue;
    const url = new URL(bare);
    url.username = '';
    url.password = '';
    found.push(url.pathname === '/' && !bare.endsWith('/') ? url.origin : url.href);
  }
  return found;
}

/** Where tools name a host without a URL. Each is looked for once per line. */
const hostTexts: readonly RegExp[] = [
  /\bhost='([A-Za-z0-9._:-]{1,253})'/,
  /\bresolve (?:host|proxy|hostname): ([A-Za-z0-9._-]{1,253})/i,
  /\bresolve host address ['‘"]([A-Za-z0-9._-]{1,253})/,
  /\b(?:resolving|resolve) '([A-Za-z0-9._-]{1,253})'/i,
  /\bgetaddrinfo [A-Z_]{5,12} ([A-Za-z0-9._-]{1,253})/,
  /\blookup ([A-Za-z0-9._-]{1,253})(?: on|:)/,
  /\bFailed to connect to ([A-Za-z0-9._:-]{1,253}) port/i,
  /\bconnection to ([A-Za-z0-9._-]{1,253}):\d/i,
  /\bconnect E[A-Z]{4,16} ([0-9A-Fa-f.:]{3,45}):\d/,
  /\bdial tcp ([0-9A-Fa-f.:[\]]{3,47}):\d/,
  /->([0-9A-Fa-f.:[\]]{3,47}):\d/,
  /\bconnect to host ([A-Za-z0-9._-]{1,253})/,
  /\bUnknownHostException: ([A-Za-z0-9._-]{1,253})/,
  /\bCONNECT ([A-Za-z0-9._-]{1,253}):\d/,
  /\battempted address(?:es)?: ([A-Za-z0-9._-]{1,253}):/,
  /\bhostname: '([A-Za-z0-9._-]{1,253})'/,
];

export function hostsIn(line: string): readonly string[] {
  const text = line.slice(0, MAX_READ_CHARACTERS);
  const hosts = new Set(urlsIn(text).map((url) => new URL(url).hostname));
  for (const pattern of hostTexts) {
    const host = pattern.exec(text)?.[1]?.replace(/\.$/, '');
    if (host !== undefined && host !== '') hosts.add(host.toLowerCase());
  }
  return [...hosts];
}

/** Host and port where a tool names both, as a URL's beginning. */
export function originIn(line: string): string | undefined {
  const text = line.slice(0, MAX_READ_CHARACTERS);
  const found =
    /\bhost='([A-Za-z0-9._-]{1,253})', port=(\d{1,5})/.exec(text) ??
    /\bconnect to ([A-Za-z0-9._-]{1,253}) port (\d{1,5})/i.exec(text) ??
    /\bconnection to ([A-Za-z0-9._-]{1,253}):(\d{1,5})/i.exec(text) ??
    /\bdial tcp ([0-9.]{7,15}|\[[0-9A-Fa-f:]{2,39}\]):(\d{1,5})/.exec(text) ??
    /->([0-9.]{7,15}):(\d{1,5})/.exec(text) ??
    /\bconnect E[A-Z]{4,16} ([0-9.]{7,15}):(\d{1,5})/.exec(text);
  if (found === null) return undefined;
  const [, host, port] = found;
  const isTls = port === '443' || text.includes('HTTPSConnection');
  const isUsual = port === '443' || port === '80';
  return `${isTls ? 'https' : 'http'}://${host}${isUsual ? '' : `:${port}`}/`;
}

const timeTexts: readonly RegExp[] = [
  /\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?/,
  /\b\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d\b/,
  /\b\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d(?: [+-]\d{4}|\.\d{3})?/,
  /\b[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d\b/,
];

/** The time that the line itself gives, in its own words: what zone it means is not known here. */
export function timeIn(line: string): string | undefined {
  const head = line.slice(0, 160);
  for (const pattern of timeTexts) {
    const time = pattern.exec(head)?.[0];
    if (time !== undefined) return time;
  }
  return undefined;
}

/** A method that a repeat could apply twice. */
export function unsafeMethodIn(line: string): string | undefined {
  const text = line.slice(0, MAX_READ_CHARACTERS);
  const method = /\b(POST|PATCH)\b(?= (?:https?:|\/))/.exec(text)?.[1] ?? /\b(Post|Patch) (?="https?:)/.exec(text)?.[1];
  return method?.toUpperCase();
}

/** A command as a shell, a container build or a CI echoes it; only behind a prompt, since prose names commands, too. */
const prompted =
  /(?:^|\s)(?:[$%#+>❯➜]|RUN|sudo|&&)\s+((?:sudo\s+)?(?:python[0-9.]{0,5} -m )?(pip3?|uv|npm|npx|pnpm|yarn|cargo|go|git|apt|apt-get|docker|curl|wget|mvn|gradle|\.\/gradlew)\s[^|;&<>`$\\]{1,200})/;

const toolOfCommand: Readonly<Record<string, Tool>> = {
  pip: 'pip',
  pip3: 'pip',
  uv: 'uv',
  npm: 'npm',
  npx: 'npm',
  pnpm: 'pnpm',
  yarn: 'yarn',
  cargo: 'cargo',
  go: 'go',
  git: 'git',
  apt: 'apt',
  'apt-get': 'apt',
  docker: 'docker',
  curl: 'curl',
  wget: 'wget',
  mvn: 'java',
  gradle: 'java',
  './gradlew': 'java',
};

export interface SeenCommand {
  readonly tool: Tool;
  readonly text: string;
}

export function commandIn(line: string): SeenCommand | undefined {
  const found = prompted.exec(line.slice(0, 400));
  const tool = toolOfCommand[found?.[2] ?? ''];
  if (found === null || tool === undefined) return undefined;
  const text = hideSecrets(found[1]!.trim().replace(/\s+/g, ' '));
  return text.includes('***') ? undefined : { tool, text };
}

/** `Collecting numpy==2.1.0` names what was asked for; `(from other)` behind it, what that asked for. */
export function pipRequirementIn(line: string): string | undefined {
  const found =
    /^\s*Collecting ([A-Za-z0-9][A-Za-z0-9._[\],<>=!~-]{0,100})(?: \(from (-r [A-Za-z0-9._/-]{1,100}) )?(?!.{0,100}\(from )/.exec(
      line.slice(0, 300),
    );
  const requirement = found?.[2] ?? found?.[1];
  return requirement === undefined ? undefined : quoteRequirement(requirement);
}

/** What pip says it could not find: `(from versions: none)` behind what was asked for. */
export function pipMissingIn(line: string): string | undefined {
  const found = /satisfies the requirement ([A-Za-z0-9][A-Za-z0-9._[\],<>=!~-]{0,100}) \(from versions/.exec(
    line.slice(0, 300),
  )?.[1];
  return found === undefined ? undefined : quoteRequirement(found);
}

/** A shell takes `>` for a redirection. */
function quoteRequirement(text: string): string {
  return /[<>!~[]/.test(text) ? `'${text}'` : text;
}

/** The script at the top of a Python traceback. */
export function pythonScriptIn(line: string): string | undefined {
  return /^\s*File "([A-Za-z0-9_./-]{1,200}\.py)", line \d{1,7}, in <module>/.exec(line.slice(0, 400))?.[1];
}
