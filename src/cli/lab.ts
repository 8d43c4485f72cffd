import { ConfigError, show } from '../core/index.ts';
import {
  type CatalogueEntry,
  catalogue,
  type Front,
  type Lab,
  loadScenarios,
  type Run,
  ScenarioFileError,
  startLab,
  streamCatalogue,
} from '../lab/index.ts';
import { parseWhole } from './conformance-settings.ts';
import { exitCodes } from './exit-code.ts';
import { listenForInterruption } from './interruption.ts';
import type { LabFlags } from './lab-flags.ts';
import { openFront } from './lab-front.ts';
import { openKernel, parseKernelFault } from './lab-kernel.ts';
import { LabReport } from './lab-report.ts';
import { openOutput } from './output.ts';

const defaultPort = 7357;

/** So many runs with ports of their own may begin in the same instant. */
const sparePorts = 64;

/** `reknit lab`: serves until it is told to end, which is no failure. @returns the exit code */
export async function lab(flags: LabFlags): Promise<number> {
  const report = new LabReport(flags);
  const output = openOutput();
  // Before anything is said: who reads that we listen may end us at once.
  const interruption = listenForInterruption();
  try {
    const fault = flags.kernel === undefined ? undefined : parseKernelFault(flags.kernel);
    const isFront = flags.inFrontOf !== undefined;
    const started = isFront ? await startInFront(flags, report) : await startOrigin(flags, report);
    const kernel = flags.kernel === undefined ? undefined : await openKernel(fault, addressOf(started), report);
    await untilAborted(AbortSignal.any([interruption.signal, output.signal]));
    await kernel?.close();
    await started.close();
    return exitCodes.done;
  } catch (error) {
    return explain(error);
  } finally {
    interruption.stop();
  }
}

async function startOrigin(flags: LabFlags, report: LabReport): Promise<Lab> {
  if (flags.faults !== undefined) throw new ConfigError('Cannot use --faults as it needs --in-front-of: received none');
  const scenarios = await entriesFrom(flags);
  // A lab that closes ends its runs, and with them the following.
  const onRun = (run: Run) => void report.follow(run).catch(() => {});
  const origin = await startLab({ ...placeFrom(flags), tls: flags.tls === true, scenarios, sparePorts, onRun });
  report.listening(origin, scenarios.length);
  return origin;
}

async function startInFront(flags: LabFlags, report: LabReport): Promise<Front> {
  const front = await openFront(flags, placeFrom(flags));
  report.frontListening(front, flags);
  void report.followFront(front).catch(() => {});
  return front;
}

function addressOf(started: Lab | Front): { readonly host: string; readonly port: number } {
  return { host: started.host, port: Number(new URL('origin' in started ? started.origin : started.url).port) };
}

function placeFrom(flags: LabFlags): { readonly host: string; readonly port: number; readonly seed: number } {
  return {
    host: flags.host ?? '127.0.0.1',
    port: flags.port === undefined ? defaultPort : readWhole('--port', flags.port, 65_535),
    seed: flags.seed === undefined ? 1 : readWhole('--seed', flags.seed, 2 ** 31 - 1),
  };
}

/** One of the user's takes the place of its namesake. */
async function entriesFrom(flags: LabFlags): Promise<readonly CatalogueEntry[]> {
  const known = [...catalogue, ...streamCatalogue];
  if (flags.scenarios === undefined) return known;
  const own = await loadScenarios(flags.scenarios);
  const names = new Set(own.map(({ scenario }) => scenario.name));
  const unplayable = flags.tls ? undefined : own.find(({ needs }) => needs === 'tls');
  if (unplayable !== undefined) {
    throw new ConfigError(
      `Cannot play the scenario ${show(unplayable.scenario.name)} of ${flags.scenarios} as its connections must be served over TLS: received no --tls`,
    );
  }
  return [...own, ...known.filter(({ scenario }) => !names.has(scenario.name))];
}

function readWhole(flag: string, text: string, most: number): number {
  const value = parseWhole(text);
  if (value !== undefined && value <= most) return value;
  throw new ConfigError(`Cannot use ${flag} as it must be a whole number up to ${most}: received ${show(text)}`);
}

function explain(error: unknown): number {
  const { code, message } = error as NodeJS.ErrnoException;
  if (error instanceof ConfigError || error instanceof ScenarioFileError) {
    process.stderr.write(`reknit: ${message}\n`);
    return exitCodes.usage;
  }
  const why = listenErrors[code ?? ''];
  if (why === undefined) throw error;
  process.stderr.write(`reknit: Cannot start the lab as ${why} (${message})\n`);
  return exitCodes.local;
}

const listenErrors: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is taken: try another --port, or 0 for any free one',
  EADDRNOTAVAIL: 'this machine does not have that --host',
  EACCES: 'the port may not be opened by this user',
  ENOTFOUND: 'the --host is not known',
  EAI_AGAIN: 'the --host is not known',
};

function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
