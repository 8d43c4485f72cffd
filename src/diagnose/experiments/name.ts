/** Who knows the name: the system, and each resolver for both address families. */
import { Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import { formatDuration } from '../../core/index.ts';
import { hostOf } from '../probe/route.ts';
import type { Course, Experiment, Observation } from './course.ts';

const LOOKUPS = 3;
const RESOLVER_MS = 1_500;
const MAX_RESOLVERS = 3;
/** A resolver that answers after this has lost a question on the way. */
const SLOW_MS = 2_000;

type Answer =
  | { readonly kind: 'addresses'; readonly addresses: readonly string[]; readonly tookMs: number }
  | { readonly kind: 'not-found' }
  | { readonly kind: 'failed'; readonly code: string };

interface Asked {
  readonly who: string;
  readonly answers: readonly Answer[];
}

export const nameExperiment: Experiment = {
  id: 'name',
  isPossible: (course) => isIP(nameOf(course)) === 0,
  run: async (course) => {
    const host = nameOf(course);
    const system: Answer[] = [];
    for (let n = 0; n < LOOKUPS; n += 1) system.push(await askSystem(course, host));
    const isLocalName = !host.includes('.') || /\.(?:localhost|local|internal)$/i.test(host);
    const servers = isLocalName ? [] : course.surroundings.resolvers.slice(0, MAX_RESOLVERS);
    const resolvers = await Promise.all(servers.map((server) => askResolver(course, server, host)));
    return judge(host, system, resolvers);
  },
};

function nameOf({ route }: Course): string {
  return hostOf(route.proxy?.url ?? route.url);
}

function askSystem({ surroundings, bench }: Course, host: string): Promise<Answer> {
  const startedMs = bench.clock.nowMs();
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(bench.signal.reason);
    bench.signal.addEventListener('abort', onAbort, { once: true });
    surroundings.lookup(host, { all: true }, (error, found) => {
      bench.signal.removeEventListener('abort', onAbort);
      if (error !== null) resolve(answerOf(error));
      else {
        const addresses = found.map(({ address }) => address);
        resolve({ kind: 'addresses', addresses, tookMs: bench.clock.nowMs() - startedMs });
      }
    });
  });
}

async function askResolver({ bench }: Course, server: string, host: string): Promise<Asked> {
  const resolver = new Resolver({ timeout: RESOLVER_MS, tries: 1 });
  resolver.setServers([server]);
  const onAbort = () => resolver.cancel();
  bench.signal.addEventListener('abort', onAbort, { once: true });
  const startedMs = bench.clock.nowMs();
  const ask = async (look: Promise<string[]>): Promise<Answer> => {
    try {
      const addresses = await look;
      return { kind: 'addresses', addresses, tookMs: bench.clock.nowMs() - startedMs };
    } catch (error) {
      if (bench.signal.aborted) throw bench.signal.reason;
      return answerOf(error as NodeJS.ErrnoException);
    }
  };
  try {
    return { who: server, answers: await Promise.all([ask(resolver.resolve4(host)), ask(resolver.resolve6(host))]) };
  } finally {
    bench.signal.removeEventListener('abort', onAbort);
  }
}

function answerOf({ code = 'unknown' }: NodeJS.ErrnoException): Answer {
  // A name without addresses of that family is an answer, and no trouble.
  if (code === 'ENODATA') return { kind: 'addresses', addresses: [], tookMs: 0 };
  return code === 'ENOTFOUND' ? { kind: 'not-found' } : { kind: 'failed', code };
}

function judge(host: string, system: readonly Answer[], resolvers: readonly Asked[]): Observation {
  const good = system.filter((answer) => answer.kind === 'addresses');
  const missing = system.filter((answer) => answer.kind === 'not-found').length;
  const slow = good.filter(({ tookMs }) => tookMs > SLOW_MS).length;
  const words = resolvers.map(({ who, answers }) => `${who}: ${answers.map(describe).join(', ')}`);
  const evidence = `${host}: ${good.length} of ${system.length} lookups went well${slow > 0 ? `, ${slow} of them after more than ${formatDuration(SLOW_MS)}` : ''}${good[0] === undefined ? '' : ` (${[...new Set(good[0].addresses)].join(', ')})`}${words.length === 0 ? '' : `; ${words.join('; ')}`}`;
  return { outcome: outcomeOf(system.length, good.length, missing, slow, resolvers), evidence };
}

function outcomeOf(count: number, good: number, missing: number, slow: number, resolvers: readonly Asked[]): string {
  const have = resolvers.filter(({ answers }) =>
    answers.some((answer) => answer.kind === 'addresses' && answer.addresses.length > 0),
  );
  const fail = resolvers.filter(({ answers }) => answers.some((answer) => answer.kind === 'failed'));
  if (missing === count) return have.length > 0 ? 'disagree' : 'not-found';
  if (good === 0) return have.length > 0 ? 'flaps' : 'fails';
  if (good < count || slow > 0) return 'flaps';
  // All fail: they are not reached from here, and the system has its own way.
  if (fail.length > 0 && fail.length < resolvers.length) return 'flaps';
  return 'steady';
}

function describe(answer: Answer): string {
  if (answer.kind === 'not-found') return 'no such name';
  if (answer.kind === 'failed') return `failed (${answer.code})`;
  return answer.addresses.length === 0 ? 'none of that family' : answer.addresses.join(' ');
}
