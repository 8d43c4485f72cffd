import { isIP } from 'node:net';
import { redactUrl } from '../core/index.ts';
import { type Clock, tell } from '../runtime/index.ts';
import { type DiagnoseJob, type DiagnoseOptions, resolveDiagnose } from './diagnose-options.ts';
import type { Diagnosis, Step } from './diagnosis.ts';
import { type Course, createMemory, type Experiment } from './experiments/course.ts';
import { allExperiments } from './experiments/index.ts';
import { met } from './experiments/sending.ts';
import type { Circumstance } from './inference/cause-list.ts';
import { type Choice, chooseExperiment, owedExperiment } from './inference/choose.ts';
import { type ExperimentId, experimentRow } from './inference/experiment-list.ts';
import { judge, movementOf } from './inference/judge.ts';
import { type Belief, expectedBits, priorBelief, updated } from './inference/posterior.ts';
import { mostStillFailing } from './inference/still-failing.ts';
import { obstacleOf } from './obstacle.ts';
import { printable } from './printable.ts';
import { Bench, RequestsSpentError } from './probe/bench.ts';
import { hostOf, type Route } from './probe/route.ts';
import { type RequestTrace, slowToFail } from './probe/trace.ts';
import { knownFaults } from './report/known-faults.ts';
import { measuredBy, showConnections } from './show.ts';
import { describeSurroundings } from './surroundings.ts';

/**
 * Finds out why a URL keeps failing, by controlled experiments that change one thing at a time; the next one is always
 * the one that tells most about the causes still open. Polite and bounded: 60 requests, 128 MiB and 60 s by default.
 *
 * Sends a method that changes something only with `allowWrites`. An abort closes every socket and rejects with the
 * signal's reason.
 *
 * @throws ConfigError if the URL or an option is wrong
 * @example
 * const { verdict } = await diagnose('https://example.com/file.zip');
 * console.log(verdict.kind, verdict.causes[0]?.title);
 */
export async function diagnose(url: string | URL, options: DiagnoseOptions = {}): Promise<Diagnosis> {
  const job = resolveDiagnose(url, options);
  const { signal } = job;
  signal?.throwIfAborted();
  const { clock } = job.runtime;
  const stop = new AbortController();
  const onAbort = () => stop.abort(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  const timer = clock.after(job.maxMs, () => stop.abort(timeIsUp));
  const bench = createBench(job, clock, stop.signal);
  try {
    return await new Investigation(job, bench).run();
  } finally {
    timer.cancel();
    signal?.removeEventListener('abort', onAbort);
    bench.close();
  }
}

const timeIsUp = new Error('the time for the diagnosis is up');

function createBench(job: DiagnoseJob, clock: Clock, signal: AbortSignal): Bench {
  const { maxRequests, maxBytes, tls, surroundings, onEvent } = job;
  return new Bench({
    clock,
    signal,
    maxRequests,
    maxBytes,
    tls,
    lookup: surroundings.lookup,
    onRequest: (request) => {
      const { experiment, n, label, symptom } = request;
      tell(onEvent, { type: 'request', experiment, n, label, symptom, met: printable(met(request)) });
    },
  });
}

function circumstancesOf({ subject, proxy }: DiagnoseJob): ReadonlySet<Circumstance> {
  const found = new Set<Circumstance>();
  if (subject.url.protocol === 'https:') found.add('tls');
  if (proxy !== undefined) found.add('proxy');
  if (subject.mayWrite) found.add('writing');
  if (isIP(hostOf(proxy?.url ?? subject.url)) === 0) found.add('name');
  return found;
}

/** What is over by all that one has seen may come again: how seldom is what can be said. */
function howOver(requests: readonly RequestTrace[]): readonly string[] {
  const last = requests.findLastIndex(({ symptom }) => symptom !== 'ok');
  const good = requests.length - 1 - last;
  if (last < 0 || good < 1) return [];
  const percent = Math.ceil(mostStillFailing(good) * 100);
  return [
    `behind the last failure ${good} in a row went well: if it still fails by chance, it is less than ${percent} % of the requests (with 95 % certainty)`,
  ];
}

const MEANWHILE_REQUESTS = 2;

class Investigation {
  readonly #job: DiagnoseJob;
  readonly #bench: Bench;
  readonly #course: Course;
  readonly #steps: Step[] = [];
  readonly #circumstances: ReadonlySet<Circumstance>;
  #belief: Belief;
  /** Begun, and not ended before the time or the requests were spent. */
  #unfinished: ExperimentId | undefined;

  constructor(job: DiagnoseJob, bench: Bench) {
    this.#job = job;
    this.#bench = bench;
    const { subject, surroundings, proxy } = job;
    // As curl, git and browsers do: HTTP/2 where it is offered.
    const route: Route = { url: subject.url, proxy, alpn: ['h2', 'http/1.1'] };
    this.#circumstances = circumstancesOf(job);
    this.#belief = priorBelief(this.#circumstances);
    this.#course = {
      subject,
      surroundings,
      bench,
      memory: createMemory(),
      route,
      http2Route: undefined,
      redirectedFrom: undefined,
      headers: subject.headers,
      outcomes: new Map(),
    };
  }

  async run(): Promise<Diagnosis> {
    const endedBy = await this.#experiment();
    const diagnosis = this.#conclude(endedBy);
    tell(this.#job.onEvent, { type: 'diagnosis', diagnosis });
    return diagnosis;
  }

  async #experiment(): Promise<Diagnosis['endedBy']> {
    while (true) {
      const choice = this.#choose();
      if (choice.kind === 'enough') return 'enough';
      if (choice.kind === 'spent') {
        return experimentRow(choice.id).requests > this.#bench.requestsLeft ? 'requests' : 'time';
      }
      try {
        await this.#do(choice.id, choice.bits);
      } catch (error) {
        if (this.#bench.signal.aborted && this.#bench.signal.reason === timeIsUp) return 'time';
        if (error instanceof RequestsSpentError) return 'requests';
        throw error;
      }
    }
  }

  #choose(): Choice {
    const course = this.#course;
    const bench = this.#bench;
    const purse = {
      requests: bench.requestsLeft,
      ms: this.#job.maxMs - bench.sinceStartMs(),
      isSlow: slowToFail.has(bench.requests.at(-1)?.symptom ?? 'ok'),
    };
    const possible = allExperiments.filter((one) => !course.outcomes.has(one.id) && one.isPossible(course));
    const among = (list: readonly Experiment[]) =>
      chooseExperiment(
        this.#belief,
        list.map(({ id }) => id),
        purse,
      );
    const isWaiting = ({ isRipe }: Experiment) => isRipe !== undefined && !isRipe(course);
    // While one ripens, what costs little is made; what costs more may not be needed behind it.
    const mayCost = possible.some(isWaiting) ? MEANWHILE_REQUESTS : purse.requests;
    const choice = among(possible.filter((one) => !isWaiting(one) && experimentRow(one.id).requests <= mayCost));
    if (choice.kind === 'experiment') return choice;
    const later = among(possible);
    if (later.kind !== 'enough') return later;
    const owed = owedExperiment(
      this.#steps,
      this.#belief,
      possible.map(({ id }) => id),
      purse,
    );
    return owed === undefined
      ? later
      : { kind: 'experiment', id: owed, bits: expectedBits(this.#belief, experimentRow(owed)) };
  }

  async #do(id: ExperimentId, bits: number): Promise<void> {
    const { changes, asks, outcomes } = experimentRow(id);
    const bench = this.#bench;
    const expectedBits = Math.round(bits * 1_000) / 1_000;
    tell(this.#job.onEvent, {
      type: 'experiment',
      experiment: id,
      changes,
      asks,
      expectedBits,
      requestCount: bench.requestCount,
    });
    bench.experiment = id;
    this.#unfinished = id;
    const startedMs = bench.sinceStartMs();
    const before = bench.requestCount;
    const { outcome, evidence } = await allExperiments.find((one) => one.id === id)!.run(this.#course);
    this.#unfinished = undefined;
    this.#course.outcomes.set(id, outcome);
    const finding = { experiment: id, outcome };
    const step: Step = {
      experiment: id,
      changes,
      asks,
      expectedBits,
      startedMs: Math.round(startedMs),
      tookMs: Math.round(bench.sinceStartMs() - startedMs),
      requests: bench.requestCount - before,
      outcome,
      outcomeWords: outcomes[outcome] ?? outcome,
      evidence: printable(evidence),
      moved: movementOf(this.#belief, finding),
    };
    this.#belief = updated(this.#belief, finding);
    this.#steps.push(step);
    tell(this.#job.onEvent, { type: 'finding', ...step });
  }

  #conclude(endedBy: Diagnosis['endedBy']): Diagnosis {
    const bench = this.#bench;
    const { subject } = this.#job;
    const obstacle = (id: ExperimentId) => obstacleOf(id, this.#course, endedBy, this.#unfinished);
    const verdict = judge(this.#steps, this.#circumstances, obstacle);
    if (verdict.causes[0]?.cause === 'passed') this.#course.memory.notes.push(...howOver(bench.requests));
    return {
      url: redactUrl(subject.url.href),
      method: subject.method,
      startedAt: new Date(bench.startedWallMs).toISOString(),
      tookMs: Math.round(bench.sinceStartMs()),
      requestCount: bench.requestCount,
      connectionCount: bench.connections.length,
      bytesRead: bench.bytesRead,
      surroundings: describeSurroundings(this.#course, this.#job.proxy),
      steps: this.#steps,
      verdict,
      measured: measuredBy(this.#course),
      notes: this.#course.memory.notes.map(printable),
      knownFaults: knownFaults(this.#course.memory.clients ?? {}),
      connections: showConnections(bench),
      endedBy,
    };
  }
}
