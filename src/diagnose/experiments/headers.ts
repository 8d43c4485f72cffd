/** The request with one header changed at a time, until it goes well, twice. */
import { isSecretHeader } from '../../core/index.ts';
import type { HeaderList } from '../probe/exchange.ts';
import type { Symptom } from '../probe/trace.ts';
import type { Course, Experiment, Observation } from './course.ts';
import { met, send } from './sending.ts';

/** Trouble that a part of the request can bring. */
const fromRequests: ReadonlySet<Symptom> = new Set([
  'forbidden',
  'bad-request',
  'unauthorized',
  'not-found',
  'no-answer',
  'cut-in-headers',
  'server-error',
  'unavailable',
  'silent',
  'empty',
  'foreign',
  'too-many',
  'reset-on-connect',
]);

const MAX_CHANGES = 6;
const little = { maxBytes: 65_536, maxMs: 1_000 } as const;
const browser = 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0';

interface Change {
  readonly header: string;
  readonly how: string;
  readonly headers: HeaderList;
}

export const headersExperiment: Experiment = {
  id: 'headers',
  isPossible: ({ memory, subject }) =>
    subject.maySend && memory.plain !== undefined && fromRequests.has(memory.plain.symptom),
  run: async (course): Promise<Observation> => {
    const tried: string[] = [];
    for (const change of changesFor(course)) {
      if (course.bench.requestsLeft < 2) break;
      const request = await send(course, { label: change.how, headers: change.headers, read: little });
      tried.push(change.how);
      if (request.symptom !== 'ok') continue;
      const counter = await send(course, { label: 'as given once more', read: little });
      if (counter.symptom === 'ok')
        return { outcome: 'over', evidence: `${change.how} it went well, but so it did as given a moment later` };
      course.memory.cure = { header: change.header, how: change.how };
      return {
        outcome: 'cured',
        evidence: `${change.how} it goes well (${met(request)}); as given, right behind it: ${met(counter)}`,
      };
    }
    return { outcome: 'none-cures', evidence: `it fails the same ${tried.join(', ')}` };
  },
};

function changesFor(course: Course): readonly Change[] {
  const { headers, subject } = course;
  const own = subject.ownHeaders.filter((name) => !['host', 'user-agent', 'content-length'].includes(name));
  const without = (name: string): Change => ({
    header: name,
    how: `without ${name}`,
    headers: headers.filter(([key]) => key.toLowerCase() !== name),
  });
  const withHeader = (name: string, value: string, how: string): Change => ({
    header: name.toLowerCase(),
    how,
    headers: [...headers.filter(([key]) => key.toLowerCase() !== name.toLowerCase()), [name, value]],
  });
  const has = (name: string) => headers.some(([key]) => key.toLowerCase() === name);
  const changes: Change[] = [];
  // Without its login a request is another request: those are looked at last.
  for (const name of own.filter((one) => !isSecretHeader(one))) changes.push(without(name));
  if (subject.body !== undefined && subject.ownHeaders.includes('content-length')) {
    const length = String(subject.body.length);
    changes.push(withHeader('Content-Length', length, `with the right Content-Length, ${length}`));
  }
  changes.push(withHeader('User-Agent', browser, 'with a browser’s User-Agent'));
  if (subject.body !== undefined)
    changes.push(
      withHeader('Content-Type', contentTypeOf(subject.body), `with Content-Type: ${contentTypeOf(subject.body)}`),
    );
  changes.push(withHeader('Accept', 'text/html,application/xhtml+xml,*/*;q=0.8', 'with a browser’s Accept'));
  if (has('accept-encoding') && !own.includes('accept-encoding')) changes.push(without('accept-encoding'));
  changes.push(withHeader('Accept-Language', 'en', 'with Accept-Language'));
  for (const name of own.filter(isSecretHeader)) changes.push(without(name));
  return changes.slice(0, MAX_CHANGES);
}

function contentTypeOf(body: Buffer): string {
  const text = body.subarray(0, 64).toString('latin1').trimStart();
  return /^[[{]/.test(text) ? 'application/json' : 'application/x-www-form-urlencoded';
}
