// A body that is cut every 2 MiB, read by plain `client.fetch`: the reader notices nothing.
import { createHash } from 'node:crypto';
import { createClient, describeEvent, ledgerOf } from 'reknit';
import { startLab } from 'reknit/lab';

const lab = await startLab();
const run = lab.play({
  name: 'cut-every-2-mib',
  resource: { sizeBytes: 16 * 1024 * 1024 },
  requests: [{ on: 'every', do: { kind: 'cut', by: 'rst', at: 'body', everyBytes: 2 * 1024 * 1024 } }],
});
const client = createClient({
  onEvent: (event) => console.log(describeEvent(event) ?? `${event.type} ${event.attemptNumber}`),
});

const response = await client.fetch(run.url);
const body = Buffer.from(await response.arrayBuffer());
const ledger = ledgerOf(response);
const sha256 = createHash('sha256').update(body).digest('hex');

console.log(
  `\n${body.length} bytes in ${ledger.attemptCount} attempts; the server counted ${run.requestCount} requests`,
);
console.log(`SHA-256 ${sha256} ${sha256 === run.sha256 ? 'is right' : 'IS WRONG'}`);

await client.close();
await lab.close();
if (sha256 !== run.sha256) process.exitCode = 1;
