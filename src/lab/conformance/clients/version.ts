/** Prints the versions of packages whose entry files are given; without one, that of Node.js. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

interface Manifest {
  readonly name?: string;
  readonly version?: string;
}

function versionOf(entry: string): string {
  for (let folder = dirname(fileURLToPath(entry)); folder !== dirname(folder); folder = dirname(folder)) {
    const path = join(folder, 'package.json');
    const manifest = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Manifest) : {};
    if (manifest.version !== undefined && manifest.name !== undefined) return `${manifest.name} ${manifest.version}`;
  }
  return 'unknown';
}

const entries = process.argv.slice(2);
const runtime = `Node.js ${process.versions.node}`;
process.stdout.write(`${[...entries.map(versionOf), runtime].join(', ')}\n`);
