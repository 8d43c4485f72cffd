/** What a command may be told; each is replaced wherever it stands in an argument. */
export interface Placeholders {
  /** Where the resource is. */
  readonly url: string;
  /** The final name, absolute; a command without it is taken to write the body to stdout. */
  readonly file: string;
  /** The two parts of `file`, for clients that want them apart. */
  readonly folder: string;
  readonly name: string;
  /** A PEM file with the authority of the lab's certificates. */
  readonly cacert: string;
  /** The digest (hex) of the newest version, for clients that check one. */
  readonly sha256: string;
}

const names = ['url', 'file', 'folder', 'name', 'cacert', 'sha256'] as const satisfies readonly (keyof Placeholders)[];
const pattern = new RegExp(`\\{(${names.join('|')})\\}`, 'g');

/** @throws TypeError where the command cannot be judged. */
export function checkCommand(command: readonly string[]): void {
  if (command.length === 0) {
    throw new TypeError(
      'Cannot judge the client as its command must have at least a program and {url}: received nothing',
    );
  }
  if (!mentions(command, 'url')) {
    throw new TypeError(
      `Cannot judge the client as its command must have {url} where the URL belongs: received ${JSON.stringify(command.join(' '))}`,
    );
  }
}

export function mentions(command: readonly string[], placeholder: keyof Placeholders): boolean {
  return command.some((argument) => argument.includes(`{${placeholder}}`));
}

export function fillIn(command: readonly string[], values: Placeholders): readonly string[] {
  return command.map((argument) => argument.replace(pattern, (_, name: keyof Placeholders) => values[name]));
}

/** Whether the body is taken from stdout. */
export function writesToStdout(command: readonly string[]): boolean {
  return !mentions(command, 'file') && !(mentions(command, 'folder') && mentions(command, 'name'));
}
