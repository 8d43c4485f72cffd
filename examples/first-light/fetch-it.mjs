// A script that knows nothing of reknit: it downloads a URL with plain `fetch` and prints what it got.
import { createHash } from 'node:crypto';

const response = await fetch(process.argv[2]);
const body = new Uint8Array(await response.arrayBuffer());
console.log(body.length, createHash('sha256').update(body).digest('hex'));
