/**
 * A user's program, run inside a namespace: reads a body with the built package, and tells what happens line by line.
 *
 *     node read-body.mjs URL '{"retry":{"maxAttempts":20}}'
 */
import { createHash } from 'node:crypto';
import { createClient } from '../../dist/http/index.js';

const [url, options] = process.argv.slice(2);
const tell = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

const client = createClient(JSON.parse(options));
const { body, ledger } = await client.request(url, { onEvent: tell });
const hash = createHash('sha256');
let isTold = false;
for await (const chunk of body) {
  hash.update(chunk);
  if (!isTold && ledger.deliveredBytes > 2_000_000) {
    isTold = true;
    tell({ type: 'middle' });
  }
}
tell({ type: 'result', sha256: hash.digest('hex'), ledger });
await client.close();
