// One run of a download that kills itself with SIGKILL at the n-th step on the disk: before it, behind it, or, for a
// write, in the middle of it. Told as JSON in its one argument; without `killAtStep` it runs to its end.
import { writeSync } from 'node:fs';
import { realDisk } from '../../dist/download/disk.js';
import { downloadOn } from '../../dist/download/download.js';

const { url, to, checksum, killAtStep, how } = JSON.parse(process.argv[2]);
let steps = 0;
let receivedBytes = 0;

function die() {
  // What is still in the kernel was sent, and nobody has it.
  writeSync(2, `${JSON.stringify({ receivedBytes })}\n`);
  process.kill(process.pid, 'SIGKILL');
  // The signal comes at once, but nothing more may happen on the disk until then.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

async function step(act, half) {
  steps += 1;
  if (steps !== killAtStep) return act();
  if (how === 'before') die();
  const result = await (how === 'middle' && half !== undefined ? half() : act());
  die();
  return result;
}

const mutating = [
  'createFolder',
  'removeFolder',
  'remove',
  'rename',
  'syncFolder',
  'createExclusively',
  'writeWhole',
  'link',
];

const disk = { ...realDisk };
for (const name of mutating) disk[name] = (...args) => step(() => realDisk[name](...args));
disk.open = async (path, mode) => {
  const file = await step(() => realDisk.open(path, mode));
  return {
    fd: file.fd,
    read: (into, atByte) => file.read(into, atByte),
    size: () => file.size(),
    close: () => file.close(),
    write: (chunks, atByte) =>
      step(
        () => file.write(chunks, atByte),
        () => file.write([Buffer.concat(chunks).subarray(0, Math.ceil(Buffer.concat(chunks).length / 2))], atByte),
      ),
    truncate: (bytes) => step(() => file.truncate(bytes)),
    datasync: () => step(() => file.datasync()),
    sync: () => step(() => file.sync()),
  };
};

const options = {
  to,
  retry: { baseDelayMs: 1 },
  initialConnections: 3,
  maxConnections: 3,
  onProgress: (progress) => {
    receivedBytes = progress.receivedBytes;
  },
  ...(checksum === undefined ? {} : { checksum }),
};
const { sha256, connections } = await downloadOn(disk, url, options);
process.stdout.write(JSON.stringify({ sha256, connections, steps }));
