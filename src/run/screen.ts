/** Our own terminal around a pseudo-terminal: what is typed goes in, its size follows ours, and it is left as it was. */
import { spawnSync } from 'node:child_process';
import { fstatSync } from 'node:fs';
import type { ReadStream, WriteStream } from 'node:tty';
import { isForeground, loadTerminals, type Terminal } from './terminal.ts';

const CTRL_C = 0x03;

export interface Screen {
  readonly isStdout: boolean;
  readonly isStderr: boolean;
  /** What is typed here goes to the command. */
  readonly hasKeyboard: boolean;
  readonly target: WriteStream;
  open(): Terminal;
  /** @returns how to leave the terminal as it was */
  connect(terminal: Terminal): () => void;
  /** Ctrl-C was typed while a command had the keyboard. */
  readonly isInterrupted: boolean;
}

/** @returns `undefined` where neither stdout nor stderr is a terminal, or why a terminal cannot be given */
export function findScreen(): Screen | undefined | string {
  const { stdin, stdout, stderr } = process;
  if (!stdout.isTTY && !stderr.isTTY) return undefined;
  const openTerminal = loadTerminals();
  if (typeof openTerminal === 'string') return openTerminal;
  const target = stdout.isTTY ? stdout : stderr;
  const hasKeyboard = stdin.isTTY === true && !isPiped() && isForeground();
  let isInterrupted = false;
  return {
    isStdout: stdout.isTTY === true,
    isStderr: stderr.isTTY === true,
    hasKeyboard,
    target,
    open: () => openTerminal(target),
    connect: (terminal) => {
      const resize = () => terminal.resize(target.columns, target.rows);
      target.on('resize', resize);
      const release = hasKeyboard
        ? giveKeyboard(stdin, terminal, () => {
            isInterrupted = true;
          })
        : () => {};
      return () => {
        target.off('resize', resize);
        release();
      };
    },
    get isInterrupted() {
      return isInterrupted;
    },
  };
}

/** Raw: the pseudo-terminal makes of Ctrl-C, and of the ends of lines, what the command asked it to. */
function giveKeyboard(stdin: ReadStream, terminal: Terminal, onInterrupt: () => void): () => void {
  const type = (keys: Buffer) => {
    if (keys.includes(CTRL_C)) onInterrupt();
    terminal.master.write(keys);
  };
  const restore = makeRaw(stdin);
  stdin.on('data', type).resume();
  return () => {
    stdin.off('data', type).pause();
    restore();
  };
}

/** Node's own raw mode goes on changing the ends of lines on their way out, which full-screen programs cannot bear. */
function makeRaw(stdin: ReadStream): () => void {
  const stty = (...words: readonly string[]) =>
    spawnSync('stty', words, { stdio: ['inherit', 'pipe', 'ignore'], encoding: 'utf8' });
  const before = stty('-g');
  if (before.status === 0 && stty('raw', '-echo').status === 0) return () => stty(before.stdout.trim());
  stdin.setRawMode(true);
  return () => stdin.setRawMode(false);
}

/** In `reknit run … | less` the keys are the reader's. */
function isPiped(): boolean {
  try {
    return fstatSync(1).isFIFO();
  } catch {
    return true;
  }
}
