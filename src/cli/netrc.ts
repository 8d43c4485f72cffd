import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, show } from '../core/index.ts';

/**
 * `user:password` for a host from `~/.netrc`, or the file that `NETRC` names; undefined where it knows none.
 *
 * @throws ConfigError if the file cannot be read
 */
export function loginFromNetrc(
  host: string,
  environment: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const path = environment.NETRC || join(homedir(), '.netrc');
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    throw new ConfigError(`Cannot use --netrc as its file must be readable: received ${show(path)}`);
  }
  return findLogin(text, host);
}

/** `machine NAME login USER password SECRET`, in any layout; `default` fits every host. */
export function findLogin(text: string, host: string): string | undefined {
  const words = withoutMacros(text).match(/"[^"]*"|\S+/g) ?? [];
  let isWanted = false;
  let login: string | undefined;
  let password: string | undefined;
  for (let i = 0; i < words.length; i += 1) {
    const word = words[i]!;
    if (word === 'machine' || word === 'default') {
      if (login !== undefined && password !== undefined) break;
      isWanted = word === 'default' || words[i + 1]?.toLowerCase() === host.toLowerCase();
      login = undefined;
      password = undefined;
    } else if (isWanted && word === 'login') login = unquoted(words[i + 1]);
    else if (isWanted && word === 'password') password = unquoted(words[i + 1]);
    if (word !== 'default') i += 1;
  }
  return login === undefined || password === undefined ? undefined : `${login}:${password}`;
}

/** A macro runs to the next empty line; a comment to the end of its own. */
function withoutMacros(text: string): string {
  return text.replace(/^macdef[^\n]*\n(?:[^\n]+\n?)*/gm, '').replace(/^\s*#.*$/gm, '');
}

function unquoted(word: string | undefined): string | undefined {
  return word?.replace(/^"(.*)"$/, '$1');
}
