// A package installer in a hundred lines: an index, the metadata of each package, the archives unpacked while they come.
// Whatever the network does, a folder of packages appears whole or not at all.
import { setMaxListeners } from 'node:events';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createClient } from 'reknit';
import { createHostLimits, downloadTo } from 'reknit/download';
import { extract } from 'reknit/extract';

/**
 * @param {object} what
 * @param {string} what.indexUrl a list of packages: `{"packages": [{"name": "…", "metadata": "URL"}]}`
 * @param {string} what.into the folder that will hold them; it must not exist
 * @param {string} what.stateFolder where installers that run at the same time share the connections to a host
 * @param {AbortSignal} [what.signal]
 */
export async function install({ indexUrl, into, stateFolder, signal }) {
  const tally = { packages: 0, files: 0, bytes: 0, attempts: 0, healed: 0 };
  const client = createClient({
    retry: { maxAttempts: 10, baseDelayMs: 200 },
    budget: { ratio: 1, capacity: 1_000 },
    // Others wait for the connections to this host: none is kept open for long.
    connections: { maxPerOrigin: 64, maxIdleMs: 200 },
    onEvent: ({ type }) => {
      if (type === 'attempt') tally.attempts += 1;
      if (type === 'healed') tally.healed += 1;
    },
  });
  const limits = createHostLimits({ stateFolder });
  const work = await mkdtemp(`${resolve(into)}.part-`);
  const stop = new AbortController();
  // Fifty packages listen to it.
  setMaxListeners(0, stop.signal);
  const both = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
  const network = { client, limits, signal: both };
  try {
    const { packages } = await fetchJson(indexUrl, network, ({ packages }) => Array.isArray(packages));
    // All at once: `limits` says how many of them may talk to a host at a time.
    await allOrNone(packages, stop, async ({ name, metadata }) => {
      const { archive, sha256 } = await fetchJson(metadata, network, (found) => found.name === name);
      const { entries, bytes } = await extract(
        (output, wanted) => downloadTo(output, archive, { ...network, signal: wanted, checksum: `sha256:${sha256}` }),
        // Whether the archive or the network is to blame for bytes that cannot be unpacked, the digest says.
        { into: join(work, name), signal: both, afterTrouble: 'prove-source' },
      );
      tally.packages += 1;
      tally.files += entries;
      tally.bytes += bytes;
    });
    await rename(work, into);
    return tally;
  } finally {
    await rm(work, { recursive: true, force: true });
    await client.destroy();
    await limits.close();
  }
}

/** Whole or not at all: an empty answer is not believed, a cut one is continued, one that changed begins anew. */
function fetchJson(url, { client, limits, signal }, validate) {
  return limits.within(new URL(url).host, (onEvent) => client.json(url, { signal, validate, onEvent }), { signal });
}

/** The first failure stops the others; nothing runs any more when it is told. */
async function allOrNone(items, stop, act) {
  const running = items.map((item) =>
    act(item).catch((error) => {
      stop.abort(error);
      throw error;
    }),
  );
  await Promise.allSettled(running);
  await Promise.all(running);
}
