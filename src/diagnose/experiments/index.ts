import {
  cutPlaceExperiment,
  pausedReaderExperiment,
  rangeExperiment,
  slowReadingExperiment,
  uploadExperiment,
} from './body.ts';
import { connectExperiment } from './connect.ts';
import type { Experiment } from './course.ts';
import { endingExperiment } from './ending.ts';
import { headersExperiment } from './headers.ts';
import { keptExperiment, keptLongerExperiment } from './kept.ts';
import { ladderExperiment } from './ladder.ts';
import { nameExperiment } from './name.ts';
import { atOnceExperiment, paceExperiment } from './number.ts';
import { plainExperiment } from './plain.ts';
import { http1Experiment, tlsVersionsExperiment } from './protocols.ts';
import { againExperiment, confirmExperiment, overTimeExperiment } from './repeats.ts';
import { directExperiment, otherClientsExperiment } from './ways.ts';

export const allExperiments: readonly Experiment[] = [
  nameExperiment,
  connectExperiment,
  plainExperiment,
  confirmExperiment,
  againExperiment,
  endingExperiment,
  keptExperiment,
  keptLongerExperiment,
  atOnceExperiment,
  ladderExperiment,
  paceExperiment,
  tlsVersionsExperiment,
  http1Experiment,
  headersExperiment,
  cutPlaceExperiment,
  slowReadingExperiment,
  rangeExperiment,
  pausedReaderExperiment,
  uploadExperiment,
  directExperiment,
  otherClientsExperiment,
  overTimeExperiment,
];
