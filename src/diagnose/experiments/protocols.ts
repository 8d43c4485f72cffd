/** TLS by version, and HTTP/1.1 beside HTTP/2. */

import { describeFailure } from '../../core/index.ts';
import type { RequestTrace } from '../probe/trace.ts';
import type { Course, Experiment } from './course.ts';
import { askFor, depthOf, met } from './sending.ts';

export const tlsVersionsExperiment: Experiment = {
  id: 'tls-versions',
  isPossible: ({ route, outcomes }) =>
    route.url.protocol === 'https:' &&
    ['tls-alert', 'tls-cut', 'tls-timeout', 'not-tls', 'ok', undefined].includes(outcomes.get('plain')),
  run: async (course) => {
    const versions = ['TLSv1.2', 'TLSv1.3'] as const;
    const tried = await Promise.all(
      versions.map(async (version) => {
        const connection = await course.bench.connect({ ...course.route, minTls: version, maxTls: version });
        const { trace, socket } = connection;
        course.bench.end(connection);
        // A certificate that is not trusted was shown by a handshake that went well.
        const isAgreed = socket !== undefined || trace.failure?.kind === 'certificate';
        return { version, isAgreed, text: isAgreed ? 'agreed' : describeFailure(trace.failure!) };
      }),
    );
    const agreed = tried.filter(({ isAgreed }) => isAgreed).length;
    const texts = tried.map(({ version, text }) => `${version.replace('TLSv', 'TLS ')}: ${text}`);
    if (agreed === 0) {
      const plain = await askInPlainText(course);
      if (plain.status !== undefined) {
        return {
          outcome: 'plain-text',
          evidence: `${texts.join('; ')}; asked without TLS, the port answers: ${met(plain)}`,
        };
      }
    }
    return {
      outcome: agreed === versions.length ? 'all' : agreed > 0 ? 'only-one' : 'none',
      evidence: texts.join('; '),
    };
  },
};

/** Nothing of the request is in it but the host: what is meant for TLS is not sent in the clear. */
function askInPlainText({ bench, route }: Course): Promise<RequestTrace> {
  const url = new URL(`http://${route.url.host}/`);
  if (url.port === '') url.port = '443';
  return bench.once(
    { url, proxy: undefined },
    { label: 'without TLS', method: 'HEAD', headers: [['Connection', 'close']] },
  );
}

export const http1Experiment: Experiment = {
  id: 'http1',
  isPossible: ({ memory, outcomes }) => memory.plainConnection?.tls?.alpn === 'h2' && outcomes.get('plain') !== 'ok',
  run: async (course) => {
    const { alpn: _, ...route } = course.route;
    const { bench, memory } = course;
    const request = await bench.once(
      route,
      askFor(course, { label: 'over HTTP/1.1', read: { maxBytes: depthOf(course), maxMs: 3_000 } }),
    );
    const isOk = request.symptom === 'ok';
    const outcome = isOk ? 'ok' : request.symptom === memory.plain!.symptom ? 'same' : 'otherwise';
    return { outcome, evidence: `over HTTP/1.1: ${met(request)}` };
  },
};
