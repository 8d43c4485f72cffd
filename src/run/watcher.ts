/**
 * Ends the command's process group if this process dies, even by SIGKILL: the kernel closes our end of a pipe then, and a
 * shell that reads the other end sees it. (Node.js has no PR_SET_PDEATHSIG, which would reach one process only.)
 */
import { type ChildProcess, spawn } from 'node:child_process';

/** The last line is the group to end; an empty one is none. After SIGTERM it has two seconds. */
const script = `
trap '' HUP INT TERM
group=
while IFS= read -r line; do group=$line; done
[ -n "$group" ] || exit 0
kill -TERM -"$group" 2>/dev/null || exit 0
count=0
while [ $count -lt 20 ] && kill -0 -"$group" 2>/dev/null; do sleep 0.1; count=$((count + 1)); done
kill -KILL -"$group" 2>/dev/null
`;

export interface Watcher {
  /** From now on this group dies with us. */
  guard(group: number): void;
  /** The group has ended: its number may be another's soon. */
  release(): void;
  close(): void;
}

export function startWatcher(): Watcher {
  const child: ChildProcess = spawn('/bin/sh', ['-c', script], {
    // A session of its own, so that no Ctrl-C and no signal to our group reaches it.
    detached: true,
    cwd: '/',
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  // Without a watcher the command runs as well.
  child.on('error', () => {});
  child.stdin!.on('error', () => {});
  child.unref();
  // A pipe that keeps the process alive would never let it end.
  (child.stdin as unknown as { unref(): void }).unref();
  const write = (line: string) => child.stdin!.write(`${line}\n`);
  return {
    guard: (group) => write(String(group)),
    release: () => write(''),
    close: () => child.stdin!.end('\n'),
  };
}
