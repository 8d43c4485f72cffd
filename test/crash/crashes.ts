/** Downloads that are killed again and again, and what each kill cost. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Lab, RequestRecord, Run } from '../../src/lab/index.ts';
import { seededRandom } from '../../src/runtime/index.ts';
import type { Folder } from '../cli/command.ts';

const MiB = 1_048_576;
const child = fileURLToPath(new URL('./child.mjs', import.meta.url));

/** Steps on the disk that a whole run takes, about. */
const STEPS = 90;

export interface Crashes {
  readonly kills: number;
  readonly runs: number;
  readonly version: number;
  /** For each kill: bytes that the server had sent before, and sent again afterwards. */
  readonly sentAgainBytes: readonly number[];
  /** Of them those that had reached the process: the others were lost in the kernel's buffers, with the connections. */
  readonly refetchedBytes: readonly number[];
  /** A file under the final name was seen after a kill, and was right. */
  readonly wasThereEarly: boolean;
}

export interface CrashPlan {
  readonly seed: number;
  readonly changes: boolean;
  readonly checksum: boolean;
}

/** One file, killed until a run ends: at most `maxKills` times, then it may go through. */
export async function downloadThroughKills(
  lab: Lab,
  folder: Folder,
  { seed, changes, checksum }: CrashPlan,
  maxKills: number,
): Promise<Crashes> {
  const random = seededRandom(seed);
  const run = lab.play({
    name: 'crashes',
    seed,
    resource: { sizeBytes: 12 * MiB },
    ...(changes ? { changes: [{ fromRequest: 2 + Math.floor(random() * 6) }] } : {}),
    // Slow enough that little is under way, fast enough to wait for.
    requests: [{ on: 'every', do: { kind: 'trickle', chunkBytes: 8_192, everyMs: 1 } }],
  });
  const name = `${seed}.bin`;
  const sent = new SentBytes(run);
  const sentAgainBytes: number[] = [];
  const refetchedBytes: number[] = [];
  let inKernelBytes = 0;
  let wasThereEarly = false;
  for (let kills = 0; ; ) {
    const killAtStep = kills < maxKills ? 1 + Math.floor(random() * STEPS) : undefined;
    const how = (['before', 'behind', 'middle'] as const)[Math.floor(random() * 3)];
    // A changed file has a new digest: whoever gives one gives that of the version that will be there.
    const expected = checksum ? `sha256:${run.versions.at(-1)!.sha256}` : undefined;
    const ended = await start({ url: run.url, to: folder.file(name), checksum: expected, killAtStep, how });
    await run.untilIdle();
    const { sentBytes, againBytes } = sent.look();
    sentAgainBytes.push(againBytes);
    const lostInKernel = Math.min(againBytes, inKernelBytes);
    refetchedBytes.push(againBytes - lostInKernel);
    inKernelBytes += Math.max(0, sentBytes - receivedIn(ended)) - lostInKernel;
    if (ended.killed) kills += 1;
    const isThere = existsSync(folder.file(name));
    if (!ended.killed || isThere) {
      wasThereEarly = ended.killed;
      if (!isThere) throw new Error(`seed ${seed}: no file after a run that ended: ${ended.text}`);
      const digest = createHash('sha256')
        .update(await readFile(folder.file(name)))
        .digest('hex');
      return { kills, runs: kills + 1, version: run.versionOf(digest), sentAgainBytes, refetchedBytes, wasThereEarly };
    }
  }
}

interface Ended {
  readonly killed: boolean;
  readonly text: string;
}

/** By its own count, told just before it died. One that ended well has received everything. */
function receivedIn({ killed, text }: Ended): number {
  const [, bytes] = /"receivedBytes":(\d+)/.exec(text) ?? [];
  return killed ? Number(bytes ?? 0) : Number.POSITIVE_INFINITY;
}

function start(order: object): Promise<Ended> {
  const process_ = spawn(process.execPath, [child, JSON.stringify(order)], { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  process_.stdout.on('data', (chunk: Buffer) => {
    text += chunk;
  });
  process_.stderr.on('data', (chunk: Buffer) => {
    text += chunk;
  });
  return new Promise((resolve, reject) => {
    process_.once('error', reject);
    process_.once('close', (code, signal) => {
      if (signal === null && code !== 0) reject(new Error(`the download failed: ${text}`));
      else resolve({ killed: signal === 'SIGKILL', text });
    });
  });
}

/** Which bytes of a version the lab has sent: what it sends a second time was fetched again. */
class SentBytes {
  readonly #run: Run;
  #seenRequests = 0;
  /** By version, in blocks of 1 KiB: whole ranges would need a set of ranges here, too. */
  readonly #sent = new Map<number, Set<number>>();

  constructor(run: Run) {
    this.#run = run;
  }

  look(): { readonly sentBytes: number; readonly againBytes: number } {
    const requests = this.#run.record.requests.slice(this.#seenRequests);
    this.#seenRequests += requests.length;
    let againBytes = 0;
    const sentBytes = requests.reduce((sum, { answered }) => sum + answered.bodyBytesSent, 0);
    const now = new Map<number, Set<number>>();
    for (const request of requests) {
      const version = this.#versionAt(request.n);
      const before = this.#sent.get(version) ?? new Set();
      const own = now.get(version) ?? new Set<number>();
      now.set(version, own);
      for (const block of blocksOf(request)) {
        if (before.has(block)) againBytes += 1_024;
        own.add(block);
      }
    }
    for (const [version, blocks] of now) {
      const all = this.#sent.get(version) ?? new Set();
      for (const block of blocks) all.add(block);
      this.#sent.set(version, all);
    }
    return { sentBytes, againBytes };
  }

  #versionAt(requestNumber: number): number {
    return this.#run.versions.findLastIndex(({ fromRequest }) => fromRequest <= requestNumber);
  }
}

function* blocksOf({ range, answered }: RequestRecord): Generator<number> {
  const from = answered.status === 206 ? Number(/^bytes=(\d+)-/.exec(range ?? '')?.[1] ?? 0) : 0;
  const first = Math.ceil(from / 1_024);
  const end = Math.floor((from + answered.bodyBytesSent) / 1_024);
  for (let block = first; block < end; block += 1) yield block;
}
