/**
 * A pseudo-terminal for a command whose stdout or stderr is a terminal here: colours, bars and prompts stay, and what
 * passes can be read. The binding is optional (docs/dependencies.md); without it the command gets pipes, and it is said so.
 */
import { closeSync, constants, openSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { ReadStream, type WriteStream } from 'node:tty';

export interface Terminal {
  /** For the command's streams. */
  readonly slave: number;
  readonly path: string;
  /** The handle of `master`, which the command must not have. */
  readonly masterHandle: number;
  /** What the command writes, and where it reads what is typed. */
  readonly master: ReadStream;
  resize(columns: number, rows: number): void;
  /** The command has its own handle now; the end of the last one ends `master`. */
  releaseSlave(): void;
}

/**
 * The binding itself: the library around it would put streams of its own on both ends, and keep the inner one open, so that
 * the end of the command would not be seen.
 */
interface Binding {
  open(columns: number, rows: number): { readonly master: number; readonly slave: number; readonly pty: string };
  resize(master: number, columns: number, rows: number): void;
}

/** @returns a way to open one, or why there is none */
export function loadTerminals(): ((like: WriteStream) => Terminal) | string {
  const { platform, arch } = process;
  try {
    // From the library's own place: a strict package manager shows its parts to nobody else.
    const library = createRequire(import.meta.url).resolve('@lydell/node-pty');
    const binding = createRequire(library)(`@lydell/node-pty-${platform}-${arch}/pty.node`) as Binding;
    return (like) => openTerminal(binding, like);
  } catch {
    return `there is no pseudo-terminal for ${platform} ${arch} here`;
  }
}

function openTerminal(binding: Binding, like: WriteStream): Terminal {
  const { master, slave, pty: path } = binding.open(like.columns || 80, like.rows || 24);
  // The binding's handle does not block, which is no way for a command to read its input.
  const own = openSync(path, constants.O_RDWR | constants.O_NOCTTY);
  closeSync(slave);
  const stream = new ReadStream(master);
  let isOpen = true;
  return {
    slave: own,
    path,
    masterHandle: master,
    master: stream,
    resize: (columns, rows) => {
      if (columns > 0 && rows > 0 && !stream.destroyed) binding.resize(master, columns, rows);
    },
    releaseSlave: () => {
      if (isOpen) closeSync(own);
      isOpen = false;
    },
  };
}

/** Who runs in the background may not touch the terminal: the kernel would stop it. */
export function isForeground(): boolean {
  try {
    const fields = readFileSync('/proc/self/stat', 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    const [group, foreground] = [fields[2], fields[5]];
    return group === foreground;
  } catch {
    return true;
  }
}
