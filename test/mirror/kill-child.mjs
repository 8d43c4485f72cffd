/**
 * A mirror with a cache that is killed at its N-th step on the disk: argv is the registry's URL, the folder, N, and what to
 * ask for. Steps are the calls that change something on the disk; the process kills itself before or in the middle of one.
 */
import fsPromises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';

const [, , registry, folder, killAt, ...paths] = process.argv;
let steps = 0;

/** Writes a half of what is asked for, where it can, before it dies. */
async function step(half) {
  steps += 1;
  if (steps !== Number(killAt)) return;
  await half?.();
  process.kill(process.pid, 'SIGKILL');
  await new Promise(() => {});
}

for (const name of ['rename', 'writeFile', 'unlink', 'utimes', 'mkdir']) {
  const real = fsPromises[name];
  fsPromises[name] = async (...args) => {
    await step();
    return await real(...args);
  };
}
const probe = await fsPromises.open(join(folder, '..', 'probe'), 'w+');
const handles = Object.getPrototypeOf(probe);
await probe.close();
const { write, writev, writeFile, sync } = handles;
handles.sync = async function (...args) {
  await step();
  return await sync.apply(this, args);
};
handles.writev = async function (chunks, at) {
  const bytes = Buffer.concat(chunks);
  await step(() => write.call(this, bytes, 0, bytes.length >> 1, at));
  return await writev.call(this, chunks, at);
};
handles.writeFile = async function (bytes) {
  await step(() => write.call(this, bytes, 0, bytes.length >> 1, 0));
  return await writeFile.call(this, bytes);
};
syncBuiltinESMExports();

const { createMirror } = await import('../../dist/mirror/index.js');
const mirror = await createMirror({ origins: [{ preset: 'npm', upstreams: [registry] }], cacheDirectory: folder });
for (const path of paths) {
  const response = await fetch(mirror.urlFor('npm') + path);
  await response.arrayBuffer();
}
await mirror.close();
process.stdout.write(String(steps));
