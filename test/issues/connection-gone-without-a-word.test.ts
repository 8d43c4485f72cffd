/**
 * undici loses the error of some sessions of HTTP/2 and of some damaged TLS records: the socket is gone, and nobody is told.
 * The clocks of the attempt were the only ones left to notice, on a timer that did not keep the process alive: a program
 * that had nothing else to do ended in silence, `reknit get` with exit 13 (an unsettled await at the top level).
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { scenarioNamed, startLab } from '../../src/lab/index.ts';

const program = `
import { createHash } from 'node:crypto';
const { createClient } = await import(process.env.CLIENT);
const client = createClient({
  tls: { ca: process.env.CA },
  connections: { http2: true },
  timeouts: { stallMs: 600 },
  retry: { baseDelayMs: 5 },
  proxy: false,
});
const body = await client.bytes(process.env.URL);
console.log(createHash('sha256').update(body).digest('hex'));
await client.destroy();
`;

const client = new URL('../../dist/http/index.js', import.meta.url).href;

for (const name of ['h2-frame-junk', 'h2-frame-oversized', 'tls-garbage-record', 'tls-alert-in-body']) {
  test(`a process that waits for nothing else sees ${name} through`, { timeout: 20_000 }, async () => {
    await using lab = await startLab({ tls: true, sparePorts: 1 });
    const run = lab.play(scenarioNamed(name, { sizeBytes: 2 * 1024 * 1024 }));
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
      env: { ...process.env, CLIENT: client, URL: run.url, CA: lab.ca },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      said += text;
    });
    const [code] = await once(child, 'close');
    expect({ code, said: said.trim() }).toEqual({ code: 0, said: run.sha256 });
  });
}
