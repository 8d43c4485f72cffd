/** A scenario is a fair question only to a client that can do it without the fault: that is tried first. */
import type { CatalogueEntry } from '../catalogue-entry.ts';
import type { Scenario } from '../scenario.ts';
import { type Played, type Playing, playTo } from './play-scenario.ts';

/** What a scenario needs of a client beyond plain HTTP/1.1. */
export type Need = 'tls' | 'h2' | 'h2c' | 'proxy' | 'unknown';

/** The client cannot be judged: it fails where nothing is wrong. */
export class UnfitClientError extends Error {
  override readonly name = 'UnfitClientError';
}

const healthy: Scenario = { name: 'clean', resource: { sizeBytes: 65_536 } };

const controls: { readonly [K in 'plain' | Exclude<Need, 'unknown'>]: Pick<CatalogueEntry, 'scenario' | 'needs'> } = {
  plain: { scenario: healthy },
  tls: { scenario: healthy, needs: 'tls' },
  h2: { scenario: { ...healthy, protocol: 'h2' } },
  h2c: { scenario: { ...healthy, protocol: 'h2c' } },
  proxy: { scenario: { ...healthy, proxy: {} } },
};

/** None where plain HTTP/1.1 will do. */
export function needsOf({ needs, scenario }: CatalogueEntry): readonly Need[] {
  const { protocol, proxy } = scenario;
  const known: readonly Need[] = [
    ...(protocol === undefined ? [] : [protocol]),
    ...(proxy === undefined ? [] : ['proxy' as const]),
    ...(needs === 'tls' ? [needs] : []),
  ];
  return needs !== undefined && known.length === 0 ? ['unknown'] : known;
}

/** @throws UnfitClientError where the client fails a download that nothing disturbs. */
export async function checkFit(playing: Playing): Promise<void> {
  const { result } = await playControl('plain', playing);
  const { end, left, said } = result;
  const words = said === '' ? '' : `: ${said}`;
  if (end.kind === 'timed-out') {
    throw new UnfitClientError(`it has not ended after ${playing.limitMs} ms where nothing is wrong${words}`);
  }
  if (end.kind === 'crashed') throw new UnfitClientError(`it was ended by ${end.by} where nothing is wrong${words}`);
  if (end.code !== 0) throw new UnfitClientError(`it ends with exit code ${end.code} where nothing is wrong${words}`);
  if (left === 'nothing') throw new UnfitClientError('it reports success and has written no {file}');
  if (result.requestCount === 0) throw new UnfitClientError('it reports success and has not asked for {url}');
}

/** Why scenarios with this need cannot be played to the client, if so. */
export async function whyNot(need: Need, playing: Playing): Promise<string | undefined> {
  if (need === 'unknown') return 'it needs more than a command that is told a URL';
  const { result, record, proxiedCount } = await playControl(need, playing);
  const words = result.said === '' ? '' : ` (${result.said})`;
  if (need === 'proxy') {
    const isProxied = result.verdict === 'healed' && proxiedCount > 0;
    return isProxied ? undefined : 'the client does not take a proxy from http_proxy and https_proxy';
  }
  if (result.verdict !== 'healed') {
    return need === 'tls'
      ? `the client does not trust the lab's certificate; give it {cacert}${words}`
      : `the client cannot download over ${need} where nothing is wrong${words}`;
  }
  const isHttp2 = record.requests.every(({ httpVersion }) => httpVersion === 'HTTP/2');
  return need === 'tls' || isHttp2 ? undefined : 'the client does not speak HTTP/2 as it is called';
}

function playControl(name: keyof typeof controls, playing: Playing): Promise<Played> {
  const entry: CatalogueEntry = { family: 'control', description: '', expect: 'heals', why: '', ...controls[name] };
  return playTo(entry, playing, `control-${name}`);
}
