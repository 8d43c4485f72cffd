export { type Clock, type Runtime, sleep, systemRuntime, type Timer } from './clock.ts';
export { NOT_WATCHED, SWEEP_MS, Sweep, type Watched } from './sweep.ts';
export { tell } from './tell.ts';
export { seededRandom, VirtualClock, virtualRuntime } from './virtual-clock.ts';
