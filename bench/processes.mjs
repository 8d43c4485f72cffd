// Child processes: the server, the contenders, and the rounds that they are told to do one after the other.
import { execFileSync, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const fileOf = (name) => fileURLToPath(new URL(name, import.meta.url));

function nextMessage(child) {
  return new Promise((resolve, reject) => {
    const onExit = (code, signal) =>
      reject(new Error(`${child.spawnargs.slice(-2).join(' ')} ended with ${signal ?? code}`));
    child.once('exit', onExit);
    child.once('message', (message) => {
      child.off('exit', onExit);
      if (message.error === undefined) resolve(message);
      else reject(new Error(message.error));
    });
  });
}

function stop(child) {
  return new Promise((resolve) => {
    child.once('exit', resolve);
    child.disconnect();
  });
}

export async function startServer(node) {
  const child = fork(fileOf('server.mjs'), { execPath: node, execArgv: [] });
  const { port } = await nextMessage(child);
  return { origin: `http://127.0.0.1:${port}`, stop: () => stop(child) };
}

export async function startWorker(node, settings, execArgv = []) {
  const child = fork(fileOf('worker.mjs'), [JSON.stringify(settings)], {
    execPath: node,
    execArgv: ['--expose-gc', ...execArgv],
  });
  await nextMessage(child);
  return {
    run: async (round, order) => {
      child.send({ round, ...order });
      return (await nextMessage(child)).result;
    },
    stop: () => stop(child),
  };
}

export function importOnce(node, specifier) {
  const args = [fileOf('import-once.mjs'), ...(specifier === undefined ? [] : [specifier])];
  return JSON.parse(execFileSync(node, args, { encoding: 'utf8' }));
}
