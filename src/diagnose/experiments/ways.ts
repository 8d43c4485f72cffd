/** Another way, and other clients. */

import { curlVersion, runCurl, urllib3Version } from '../probe/curl.ts';
import { runFetch } from '../probe/node-fetch.ts';
import type { Experiment } from './course.ts';
import { askFor, met, someOfIt } from './sending.ts';

export const directExperiment: Experiment = {
  id: 'direct',
  isPossible: ({ route, memory, outcomes }) =>
    route.proxy !== undefined && memory.plain !== undefined && outcomes.get('plain') !== 'ok',
  run: async (course) => {
    const request = await course.bench.once(
      { ...course.route, proxy: undefined },
      askFor(course, { label: 'past the proxy', read: someOfIt }),
    );
    const isSame = request.symptom === course.memory.plain!.symptom;
    return {
      outcome: request.symptom === 'ok' ? 'ok' : isSame ? 'same' : 'otherwise',
      evidence: `past the proxy: ${met(request)}`,
    };
  },
};

export const otherClientsExperiment: Experiment = {
  id: 'other-clients',
  isPossible: ({ surroundings, memory, subject, route }) =>
    surroundings.otherClients &&
    // Neither could be told of authorities of one's own; curl is not given bodies, and fetch no proxy.
    surroundings.caText === undefined &&
    (subject.body === undefined || route.proxy === undefined) &&
    memory.plain !== undefined &&
    subject.maySend &&
    route.proxy?.url.protocol !== 'https:',
  run: async (course) => {
    const isOk = course.memory.plain!.symptom === 'ok';
    // Who has served six at a time serves two.
    const isAtOnce = course.outcomes.get('at-once') === 'all-ok';
    const both = isAtOnce
      ? await Promise.all([runCurl(course), runFetch(course)])
      : [await runCurl(course), await runFetch(course)];
    const results = both.filter((result) => result !== undefined);
    const evidence = results.map(({ client, text }) => `${client}: ${text}`).join('; ');
    if (results.length === 0) return { outcome: 'same', evidence: 'there is no other client here' };
    const known = results.filter(({ isOk: ended }) => ended !== undefined);
    const good = known.filter((result) => result.isOk).length;
    const outcome = isOk ? ofGood(good, known.length) : good > 0 ? 'others-ok' : 'same';
    if (outcome !== 'same') {
      const { node, undici, openssl } = process.versions;
      const { signal } = course.bench;
      const [curl, urllib3] = await Promise.all([curlVersion(signal), urllib3Version(signal)]);
      course.memory.clients = { node, undici, openssl, curl, urllib3 };
    }
    return { outcome, evidence };
  },
};

/** One that fails where another goes well is at fault itself; all that fail have met something. */
function ofGood(good: number, count: number): string {
  if (good === count) return 'same';
  return good > 0 ? 'one-fails' : 'others-fail';
}
