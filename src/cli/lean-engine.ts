/**
 * A download is buffers that come and go, in a process that lives for seconds: what V8 does by default costs it 40 MiB and,
 * where connections are cut, a quarter of its processor time. Only a command may say this, as it owns its process.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { systemRuntime, type Timer } from '../runtime/index.ts';

interface Setting {
  readonly flag: string;
  readonly why: string;
}

const plainParser: Setting = {
  flag: '--liftoff-only',
  why: 'optimising the HTTP parser, one huge WebAssembly function, takes 35 MiB and 60 ms, and what is parsed are headers',
};

/** Measured in docs/benchmarks.md. */
const settings: readonly Setting[] = [
  plainParser,
  {
    flag: '--heap-growing-percent=400',
    why: 'received buffers count against the limit of a small heap: without it there is a full collection every 20 MiB',
  },
];

const smallYoungSpace: Setting = {
  flag: '--semi-space-growth-factor=1',
  why: 'of one file short-lived objects are few: young space that grows to 16 MiB is memory that is only touched',
};

/** V8 complains about a flag that it does not know, and says which it knows only in a list of thousands. */
const NEWEST_TRIED = 26;

/** To be called before anything loads undici. */
export function makeEngineLean(): void {
  tellEngine(settings);
}

/** Also to be told, where there is one file. */
export function keepYoungSpaceSmall(): void {
  tellEngine([smallYoungSpace]);
}

/** For a server that may live as long as one command: the rest of what `get` tells is not for long lives. */
export function keepParserPlain(): void {
  tellEngine([plainParser]);
}

function tellEngine(told: readonly Setting[]): void {
  if (Number.parseInt(process.versions.node, 10) > NEWEST_TRIED) return;
  for (const { flag } of told) setFlagsFromString(flag);
}

/** Received and no longer used; V8 itself lets it grow to 32 MiB. */
const MAX_GARBAGE_BYTES = 8 * 1_048_576;
const LOOK_EVERY_MS = 20;

/** Of one file: collects young buffers early, until it is told to stop. A collection takes about half a millisecond. */
export function keepBuffersFew(): () => void {
  const collect = findCollector();
  if (collect === undefined) return () => {};
  let timer: Timer;
  const look = () => {
    if (process.memoryUsage().arrayBuffers > MAX_GARBAGE_BYTES) collect();
    timer = systemRuntime.clock.after(LOOK_EVERY_MS, look, 'idle');
  };
  look();
  return () => timer.cancel();
}

/** It is there only in contexts that are made while the flag is set. */
function findCollector(): (() => void) | undefined {
  setFlagsFromString('--expose-gc');
  const collector: unknown = runInNewContext('typeof gc === "function" ? gc : undefined');
  setFlagsFromString('--no-expose-gc');
  if (typeof collector !== 'function') return undefined;
  return () => collector({ type: 'minor' });
}
