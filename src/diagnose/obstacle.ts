import type { Diagnosis } from './diagnosis.ts';
import type { Course } from './experiments/course.ts';
import { allExperiments } from './experiments/index.ts';
import { type ExperimentId, experimentRow } from './inference/experiment-list.ts';

/** Why an experiment that would tell something was not done, and how to have it done; undefined where no one can do that. */
export function obstacleOf(
  id: ExperimentId,
  course: Course,
  endedBy: Diagnosis['endedBy'],
  unfinished: ExperimentId | undefined,
): string | undefined {
  const { subject, surroundings, outcomes } = course;
  const needsSending = experimentRow(id).requests > 0;
  if (needsSending && !subject.maySend) {
    return `it sends the ${subject.method}, which may change something: allow it with --allow-writes, against a server where that does no harm`;
  }
  if (id === 'upload' && !subject.mayWrite) return undefined;
  if (id === 'other-clients' && !surroundings.otherClients)
    return 'other clients were forbidden: leave --no-other-clients out';
  const experiment = allExperiments.find((one) => one.id === id)!;
  if (id === unfinished || experiment.isPossible(course)) {
    if (endedBy === 'requests') return 'the number of requests was spent: give it more with --max-requests';
    if (endedBy === 'time') return 'the time was up: give it more with --max-time';
    return 'it was not worth its requests while nothing points there: run the diagnosis again at a time at which it fails';
  }
  if (outcomes.get('plain') === 'ok' && (id === 'confirm' || id === 'over-time')) {
    return 'it needs a failure, and there was none: run the diagnosis again at a time at which it fails';
  }
  return undefined;
}
