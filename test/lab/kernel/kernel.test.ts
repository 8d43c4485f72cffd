/** Real packets, filtered by the kernel: the client is a process of its own in the lab's namespace. */
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type KernelFaultKind,
  type KernelLab,
  kernelAbilities,
  type Lab,
  type Run,
  startKernelLab,
  startLab,
} from '../../../src/lab/index.ts';

/** Says what it got, in JSON; silence of the given length ends it. */
const client = `
  const { createHash } = require('node:crypto');
  const [port, path, silenceMs] = process.argv.slice(1);
  const socket = require('node:net').connect(Number(port), '127.0.0.1');
  const parts = [];
  let ended = 'fin';
  socket.write('GET ' + path + ' HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n');
  socket.on('data', (bytes) => parts.push(bytes));
  socket.on('error', (error) => { ended = error.code; });
  socket.setTimeout(Number(silenceMs), () => { ended = 'silence'; socket.destroy(); });
  socket.on('close', () => {
    const all = Buffer.concat(parts);
    const body = all.subarray(all.indexOf('\\r\\n\\r\\n') + 4);
    console.log(JSON.stringify({ ended, bytes: all.length, sha256: createHash('sha256').update(body).digest('hex') }));
  });
`;

interface Seen {
  readonly ended: string;
  readonly bytes: number;
  readonly sha256: string;
}

async function get(kernel: KernelLab, run: Run, silenceMs = 10_000): Promise<Seen> {
  const { pathname, search } = new URL(run.url);
  const command = [process.execPath, '-e', client, String(kernel.port), pathname + search, String(silenceMs)];
  const { stdout, stderr } = await kernel.run(command);
  expect(stderr).toBe('');
  return JSON.parse(stdout.toString()) as Seen;
}

const abilities = await kernelAbilities();
const sizeBytes = 4 * 1024 * 1024;

describe.skipIf(abilities.namespace.kind === 'missing')(
  `the kernel lab${abilities.namespace.kind === 'missing' ? ` (skipped: ${abilities.namespace.why})` : ''}`,
  () => {
    let lab: Lab;
    let kernel: KernelLab;
    let run: Run;

    beforeAll(async () => {
      lab = await startLab();
      run = lab.play({ name: 'kernel', resource: { sizeBytes } });
      const started = await startKernelLab({ target: { host: '127.0.0.1', port: Number(new URL(run.url).port) } });
      if (started.kind === 'missing') throw new Error(started.why);
      kernel = started;
    });

    afterAll(async () => {
      await kernel.close();
      expect(existsSync(`/proc/${kernel.enter[2]}`)).toBe(false);
      await lab.close();
    });

    function promise(kind: KernelFaultKind, name: string, body: () => Promise<void>): void {
      const ability = abilities.faults[kind];
      const reason = ability.kind === 'missing' ? ` (skipped: ${ability.why})` : '';
      test.skipIf(reason !== '')(`${name}${reason}`, async () => {
        await body();
        await kernel.clear();
        expect(await get(kernel, run)).toMatchObject({ ended: 'fin', sha256: run.sha256 });
      });
    }

    promise('reset', 'a new connection that is rejected with a reset is ECONNREFUSED', async () => {
      await kernel.apply({ kind: 'reset' });
      expect(await get(kernel, run)).toMatchObject({ ended: 'ECONNREFUSED', bytes: 0 });
    });

    promise('reset-after', 'a connection is reset by the kernel once its answers pass a number of bytes', async () => {
      await kernel.apply({ kind: 'reset-after', bytes: 1_000_000 });
      const { ended, bytes } = await get(kernel, run);
      // Node.js 20 takes a reset right behind data for an end.
      expect(['ECONNRESET', 'fin']).toContain(ended);
      expect(bytes).toBeGreaterThan(500_000);
      expect(bytes).toBeLessThan(sizeBytes);
    });

    promise('unreachable', 'a rejection by ICMP is EHOSTUNREACH', async () => {
      await kernel.apply({ kind: 'unreachable', by: 'icmp-host-unreachable' });
      expect((await get(kernel, run)).ended).toBe('EHOSTUNREACH');
    });

    promise('drop', 'packets that are dropped leave a connect in silence', async () => {
      await kernel.apply({ kind: 'drop' });
      expect(await get(kernel, run, 200)).toMatchObject({ ended: 'silence', bytes: 0 });
    });

    promise('drop-after', 'packets that are dropped in a body leave it half-open', async () => {
      await kernel.apply({ kind: 'drop-after', bytes: 1_000_000 });
      const { ended, bytes } = await get(kernel, run, 400);
      expect(ended).toBe('silence');
      expect(bytes).toBeGreaterThan(100_000);
      expect(bytes).toBeLessThan(sizeBytes);
    });

    promise('loss', 'with lost packets every byte comes all the same', async () => {
      await kernel.apply({ kind: 'loss', lossRatio: 0.02 });
      expect(await get(kernel, run)).toMatchObject({ ended: 'fin', sha256: run.sha256 });
    });

    promise('rate', 'a rate takes its time', async () => {
      await kernel.apply({ kind: 'rate', bytesPerSecond: 8_000_000 });
      const startedAtMs = performance.now();
      expect(await get(kernel, run)).toMatchObject({ ended: 'fin', sha256: run.sha256 });
      expect(performance.now() - startedAtMs).toBeGreaterThan(450);
    });

    promise('link-down', 'a link that is down lets nothing through, and nobody says so', async () => {
      await kernel.apply({ kind: 'link-down' });
      expect(await get(kernel, run, 200)).toMatchObject({ ended: 'silence', bytes: 0 });
    });

    promise('netem', 'netem delays every packet', async () => {
      await kernel.apply({ kind: 'netem', delayMs: 50 });
      const startedAtMs = performance.now();
      expect((await get(kernel, run)).ended).toBe('fin');
      expect(performance.now() - startedAtMs).toBeGreaterThan(100);
    });

    test('a command in the namespace is killed by its signal', async () => {
      const abort = new AbortController();
      const ran = kernel.run(['sleep', '60'], { signal: abort.signal });
      abort.abort();
      expect(await ran).toMatchObject({ exitCode: null, signal: 'SIGKILL' });
    });
  },
);
