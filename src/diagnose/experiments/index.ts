import {
  cutPlaceExperiment,
  pausedReaderExperiment,
  rangeExperiment,
  slowReadingExperiment,
  uploadExperiment,
} from './body.ts';
import { connectExperiment } from './connect.ts';
import type { Experiment } from './course.ts';
import { headersExperiment } from './headers.ts';
import { keptExperiment, keptLongerExperiment } from './kept.ts';
import { nameExperiment } from './name.ts';
import { atOnceAgainExperiment, atOnceExperiment, paceExperiment } from './number.ts';
import { plainExperiment } from './plain.ts';
import { http2Experiment, tlsVersionsExperiment } from './protocols.ts';
import { againExperiment, confirmExperiment, overTimeExperiment } from './repeats.ts';
import { directExperiment, otherClientsExperiment } from './ways.ts';

export const allExperiments: readonly Experiment[] = [
  nameExperiment,
  connectExperiment,
  plainExperiment,
  confirmExperiment,
  againExperiment,
  keptExperiment,
  keptLongerExperiment,
  atOnceExperiment,
  atOnceAgainExperiment,
  paceExperiment,
  tlsVersionsExperiment,
  http2Experiment,
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
