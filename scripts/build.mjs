// Compiles src/ to dist/. TypeScript writes the types and a module per source file; of the folders that nobody enters
// but by their doors, one module per door is made of them, since finding and loading a hundred small files is what a
// short command waits for. Incremental: nothing to do takes three seconds.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { rolldown } from 'rolldown';

/** Folder: its doors. `lab` and `cli` stay as they are: they start single files of theirs as programs. */
const joined = {
  core: ['index'],
  runtime: ['index'],
  fetch: ['index'],
  http: ['index', 'register'],
  // The crash test kills itself between two steps on the disk: it has to stand between.
  download: ['index', 'download', 'disk'],
  extract: ['index'],
  pool: ['index'],
  gateway: ['index'],
  mirror: ['index'],
  diagnose: ['index'],
  run: ['index'],
};

compile();
await Promise.all(Object.entries(joined).map(([folder, doors]) => joinFolder(folder, doors)));
if (existsSync('dist/cli/main.js')) chmodSync('dist/cli/main.js', 0o755);

function compile() {
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

async function joinFolder(folder, doors) {
  const home = resolve('src', folder);
  const bundle = await rolldown({
    input: Object.fromEntries(doors.map((door) => [door, join(home, `${door}.ts`)])),
    platform: 'node',
    plugins: [{ name: 'other-folders-stay-outside', resolveId: (id, importer) => outside(id, importer, home) }],
    makeAbsoluteExternalsRelative: false,
    tsconfig: false,
    logLevel: 'warn',
  });
  const { output } = await bundle.generate({
    dir: join('dist', folder),
    format: 'esm',
    sourcemap: true,
    sourcemapExcludeSources: true,
    entryFileNames: '[name].js',
    chunkFileNames: '[name]-part.js',
  });
  await bundle.close();
  const parts = output.map(({ fileName, code, source }) => [fileName, code ?? source]);
  for (const [name, text] of parts) writeIfOther(join('dist', folder, name), text);
  removeOthers(join('dist', folder), new Set(parts.map(([name]) => name)));
}

/** Packages, Node's modules and the doors of other folders are imported and not joined. */
function outside(id, importer, home) {
  if (importer === undefined) return undefined;
  if (!id.startsWith('.')) return { id, external: true };
  const target = resolve(dirname(importer), id);
  const path = relative(home, target);
  if (!path.startsWith('..')) return undefined;
  return { id: path.replace(/\.ts$/, '.js'), external: true };
}

/** A program that starts meanwhile sees the old file or the new one. */
function writeIfOther(file, text) {
  if (existsSync(file) && readFileSync(file, 'utf8') === text) return;
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

function removeOthers(folder, kept) {
  for (const entry of readdirSync(folder, { recursive: true })) {
    if (/\.js(\.map)?$/.test(entry) && !kept.has(entry)) rmSync(join(folder, entry));
  }
}
