// Who is measured: each makes `{ small, big, hold }` over 16 connections of its own. A body is always read to its end.
// A contender runs alone in its process, so that nobody's code is made slower by what another has taught the compiler.

const connections = 16;

/** undici under its own limits on headers and silence, as reknit keeps them by its own clocks: equal service. */
async function plainAgent(limit = connections) {
  const { Agent } = await import('undici');
  return new Agent({ connections: limit, pipelining: 1, keepAliveTimeout: 4_000, keepAliveMaxTimeout: 4_000 });
}

async function reknitClient(dist, limit = connections) {
  const { createClient } = await import(new URL('http/index.js', dist));
  return createClient({ connections: { maxPerOrigin: limit }, proxy: false });
}

async function countStream(body) {
  return new Promise((resolve, reject) => {
    let bytes = 0;
    body.on('data', (chunk) => {
      bytes += chunk.length;
    });
    body.on('end', () => resolve(bytes));
    body.on('error', reject);
  });
}

async function countReader(body) {
  const reader = body.getReader();
  let bytes = 0;
  while (true) {
    const { done, value } = await reader.read();
    if (done) return bytes;
    bytes += value.byteLength;
  }
}

function byRequest(request) {
  return {
    small: async (url) => (await (await request(url)).body.arrayBuffer()).byteLength,
    big: async (url) => countStream((await request(url)).body),
    hold: async (url) => {
      const { body } = await request(url);
      await new Promise((resolve) => body.once('readable', resolve));
      body.on('error', () => {});
      return body;
    },
  };
}

function byFetch(fetch) {
  return {
    small: async (url) => (await (await fetch(url)).arrayBuffer()).byteLength,
    big: async (url) => countReader((await fetch(url)).body),
    hold: async (url) => {
      const reader = (await fetch(url)).body.getReader();
      await reader.read();
      return reader;
    },
  };
}

export const contenders = {
  'undici.request': async ({ limit }) => {
    const { request } = await import('undici');
    const dispatcher = await plainAgent(limit);
    return byRequest((url) => request(url, { dispatcher }));
  },
  'client.request': async ({ dist, limit }) => {
    const client = await reknitClient(dist, limit);
    return byRequest((url) => client.request(url));
  },
  fetch: async ({ limit }) => {
    const dispatcher = await plainAgent(limit);
    return byFetch((url) => fetch(url, { dispatcher }));
  },
  'client.fetch': async ({ dist, limit }) => {
    const client = await reknitClient(dist, limit);
    return byFetch((url) => client.fetch(url));
  },
  'undici RetryAgent': async ({ limit }) => {
    const { request, RetryAgent } = await import('undici');
    const dispatcher = new RetryAgent(await plainAgent(limit));
    return byRequest((url) => request(url, { dispatcher }));
  },
  'fetch + RetryAgent': async () => {
    const { RetryAgent } = await import('undici');
    const dispatcher = new RetryAgent(await plainAgent());
    return byFetch((url) => fetch(url, { dispatcher }));
  },
  ky: async () => {
    const { default: ky } = await import('ky');
    const dispatcher = await plainAgent();
    return byFetch((url) => ky(url, { dispatcher }));
  },
  got: async () => {
    const [{ default: got }, { Agent }] = await Promise.all([import('got'), import('node:http')]);
    const agent = { http: new Agent({ keepAlive: true, maxSockets: connections }) };
    return { small: async (url) => (await got(url, { agent }).buffer()).length };
  },
  'axios + axios-retry': async () => {
    const [{ default: axios }, retry, { Agent }] = await Promise.all([
      import('axios'),
      import('axios-retry'),
      import('node:http'),
    ]);
    const client = axios.create({
      httpAgent: new Agent({ keepAlive: true, maxSockets: connections }),
      responseType: 'arraybuffer',
      proxy: false,
    });
    retry.default(client);
    return { small: async (url) => (await client.get(url)).data.length };
  },
};
