// One contender in a process of its own, which does a round whenever it is told to and tells what that took.
import { contenders } from './contenders.mjs';

const settings = JSON.parse(process.argv[2]);
/**
 * Everybody's heap starts with the same modules in it. V8 plans its collections by the size of the heap, and a process
 * that had imported nothing but undici read a large body twice as fast as one that had also imported reknit unused.
 */
await import(new URL('http/index.js', settings.dist));
const contender = await contenders[settings.contender](settings);

async function runRequests(url, count, concurrency) {
  let left = count;
  const one = async () => {
    while (left > 0) {
      left -= 1;
      const bytes = await contender.small(url);
      if (bytes !== 1024) throw new Error(`${settings.contender}: ${bytes} bytes instead of 1,024`);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, one));
}

/**
 * No collection is forced before a round: a full one also throws away what the compiler has learned of shapes, and made
 * every contender up to three times slower for the whole round, each by another factor.
 */
async function measure(work) {
  const cpuBefore = process.cpuUsage();
  const startedAtMs = performance.now();
  await work();
  const wallMs = performance.now() - startedAtMs;
  const { user, system } = process.cpuUsage(cpuBefore);
  return { wallMs, cpuMs: (user + system) / 1000 };
}

const rounds = {
  async requests({ url, count, concurrency }) {
    // Connections may have been idle for too long since the last round.
    await runRequests(url, concurrency * 10, concurrency);
    return measure(() => runRequests(url, count, concurrency));
  },
  async body({ url, bytes }) {
    return measure(async () => {
      const got = await contender.big(url);
      if (got !== bytes) throw new Error(`${settings.contender}: ${got} bytes instead of ${bytes}`);
    });
  },
  async memory({ warmUrl, url, count }) {
    for (let i = 0; i < 50; i += 1) await contender.small(warmUrl);
    const before = await settle();
    const held = await Promise.all(Array.from({ length: count }, () => contender.hold(url)));
    const after = await settle();
    const bodies = held.length;
    return Object.fromEntries(Object.keys(before).map((name) => [name, (after[name] - before[name]) / bodies]));
  },
};

async function settle() {
  for (let i = 0; i < 4; i += 1) {
    globalThis.gc();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const { heapUsed, arrayBuffers, rss } = process.memoryUsage();
  return { heapUsed, arrayBuffers, rss };
}

process.on('message', async ({ round, ...order }) => {
  try {
    process.send({ result: await rounds[round](order) });
  } catch (error) {
    process.send({ error: String(error?.stack ?? error) });
  }
});
process.on('disconnect', () => process.exit());
process.send({ isReady: true });
