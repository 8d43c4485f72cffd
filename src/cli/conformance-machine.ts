import { cpus, totalmem } from 'node:os';

/** What a measurement was made on: `Node.js 20.20.2, Linux x64, 2 cores, 24 GiB`. */
export function describeMachine(): string {
  const gib = Math.round(totalmem() / 1024 ** 3);
  const system = { linux: 'Linux', darwin: 'macOS', win32: 'Windows' }[process.platform as string] ?? process.platform;
  return `Node.js ${process.versions.node}, ${system} ${process.arch}, ${cpus().length} cores, ${gib} GiB`;
}
