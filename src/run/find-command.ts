/** Looks for a command as a shell does, before anything is started: its absence is no failure of an attempt. */
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';

export type FoundCommand =
  | { readonly kind: 'found'; readonly path: string }
  | { readonly kind: 'absent'; readonly exitCode: 127; readonly message: string }
  | { readonly kind: 'forbidden'; readonly exitCode: 126; readonly message: string };

export function findCommand(command: string, cwd: string, path: string | undefined): FoundCommand {
  const places = command.includes('/')
    ? [resolve(cwd, command)]
    : (path ?? '/usr/bin:/bin').split(delimiter).map((folder) => join(resolve(cwd, folder), command));
  let forbidden: string | undefined;
  for (const place of places) {
    if (!isFile(place)) continue;
    if (isExecutable(place)) return { kind: 'found', path: place };
    forbidden ??= place;
  }
  if (forbidden !== undefined) {
    return { kind: 'forbidden', exitCode: 126, message: `Cannot run ${forbidden}: it is not executable` };
  }
  const where = command.includes('/') ? 'there is no such file' : 'no such command on PATH';
  return { kind: 'absent', exitCode: 127, message: `Cannot run ${command}: ${where}` };
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
