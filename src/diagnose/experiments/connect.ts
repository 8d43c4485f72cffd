/** Connects to every address, and sends nothing: how long it takes, and whether the connection is kept. */
import { formatDuration } from '../../core/index.ts';
import { RETRANSMITTED_MS } from '../probe/bench.ts';
import type { Connection } from '../probe/connection.ts';
import { hostOf } from '../probe/route.ts';
import type { Course, Experiment, Observation } from './course.ts';

const TRIES = 2;
const MAX_ADDRESSES = 4;
/** Whoever ends a connection on accept does so in this time. */
const HOLD_MS = 150;
export const connectExperiment: Experiment = {
  id: 'connect',
  isPossible: ({ outcomes }) =>
    !['not-found', 'fails'].includes(outcomes.get('name') ?? '') && !isLookup(outcomes.get('plain')),
  run: async (course) => {
    const addresses = await addressesOf(course);
    const tries = addresses.flatMap((address) => Array.from({ length: TRIES }, () => address));
    const connections = await Promise.all(tries.map((address) => hold(course, address)));
    return judge(addresses, connections);
  },
};

function isLookup(symptom: string | undefined): boolean {
  return symptom === 'name-not-found' || symptom === 'lookup-failed';
}

async function addressesOf({ route, bench }: Course): Promise<readonly string[]> {
  try {
    const found = await bench.lookUp(hostOf(route.proxy?.url ?? route.url));
    return [...new Set(found)].slice(0, MAX_ADDRESSES);
  } catch (error) {
    if (bench.signal.aborted) throw error;
    return [];
  }
}

interface Held {
  readonly address: string;
  readonly result: 'kept' | 'ended' | 'refused' | 'timeout' | 'unreachable' | 'reset';
  readonly tookMs: number;
}

async function hold(course: Course, address: string): Promise<Held> {
  const { bench } = course;
  // Of the way to the server only the TCP part is looked at.
  const url = new URL(course.route.url);
  url.protocol = 'http:';
  if (url.port === '' && course.route.url.protocol === 'https:') url.port = '443';
  const connection = await bench.connect({ ...course.route, url, address, connectMs: 4_500 });
  const { trace, socket } = connection;
  const tookMs = (trace.connectedMs ?? bench.sinceStartMs()) - (trace.lookedUpMs ?? trace.startedMs);
  if (socket === undefined) return { address, result: resultOf(connection), tookMs };
  socket.resume();
  const ended = new Promise<void>((resolve) => socket.once('end', resolve).once('close', () => resolve()));
  await bench.within(ended, HOLD_MS);
  const result = trace.endedBy === undefined ? 'kept' : 'ended';
  bench.end(connection);
  return { address, result, tookMs };
}

function resultOf({ trace }: Connection): Held['result'] {
  const kind = trace.failure?.kind;
  if (kind === 'refused') return 'refused';
  if (kind === 'unreachable') return 'unreachable';
  return kind === 'reset' || kind === 'closed' ? 'reset' : 'timeout';
}

function judge(addresses: readonly string[], held: readonly Held[]): Observation {
  const evidence = addresses
    .map((address) => {
      const own = held.filter((one) => one.address === address);
      return `${address}: ${own.map(({ result, tookMs }) => `${words[result]} ${formatDuration(tookMs)}`).join(', ')}`;
    })
    .join('; ');
  return { outcome: outcomeOf(addresses, held), evidence: evidence === '' ? 'no address to connect to' : evidence };
}

const words: Readonly<Record<Held['result'], string>> = {
  kept: 'connected in',
  ended: 'connected, then ended by the other side, in',
  refused: 'refused in',
  timeout: 'not answered in',
  unreachable: 'unreachable in',
  reset: 'reset in',
};

function outcomeOf(addresses: readonly string[], held: readonly Held[]): string {
  const count = (...results: readonly Held['result'][]) => held.filter(({ result }) => results.includes(result)).length;
  const works = (address: string) =>
    held.some((one) => one.address === address && (one.result === 'kept' || one.result === 'ended'));
  const alive = addresses.filter(works).length;
  if (addresses.length > 1 && alive > 0 && alive < addresses.length) return 'one-dead';
  if (count('ended', 'reset') === held.length) return 'closed-on-accept';
  if (count('ended', 'reset') > 0) return 'closed-sometimes';
  if (count('refused') === held.length) return 'refused';
  if (count('refused') > 0) return 'refused-sometimes';
  if (count('unreachable') === held.length) return 'unreachable';
  if (count('timeout', 'unreachable') === held.length) return 'timeout';
  if (count('timeout') > 0 || held.some(({ result, tookMs }) => result === 'kept' && tookMs > RETRANSMITTED_MS))
    return 'retransmitted';
  return 'quick';
}
