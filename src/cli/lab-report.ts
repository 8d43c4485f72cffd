/**
 * What `reknit lab` tells while it serves. `--json` has one event per line:
 *
 * | event | fields |
 * |---|---|
 * | `listening` | `origin`, `host`, `scenarios`: how many |
 * | `run` | `run`, `scenario`, `origin` where it is served |
 * | `front` | `url`, `host`, `target`, `faults`; instead of `listening` |
 * | `connection` | the fields of a `FrontConnectionRecord`, when one has ended |
 * | `kernel` | `url` inside of the namespace, `enter`: the command that runs another one there, `fault` where one is applied |
 * | `answer` | `run`, `scenario`, and the fields of a `RequestRecord` without its headers |
 */
import { formatBytes } from '../core/index.ts';
import type {
  Front,
  FrontConnectionRecord,
  KernelAbilities,
  KernelFault,
  KernelLab,
  Lab,
  RequestRecord,
  Run,
} from '../lab/index.ts';
import type { LabFlags } from './lab-flags.ts';

export class LabReport {
  readonly #flags: LabFlags;

  constructor(flags: LabFlags) {
    this.#flags = flags;
  }

  listening({ origin, host }: Lab, scenarioCount: number): void {
    this.#json('listening', { origin, host, scenarios: scenarioCount });
    this.#say(`${scenarioCount} scenarios of broken connections at ${origin}/ (Ctrl-C ends it)`);
    if (!isLoopback(host)) this.warn(`others can reach this lab, as it listens on ${host}`);
  }

  frontListening({ url, host }: Front, { inFrontOf, faults = 'rst' }: LabFlags): void {
    this.#json('front', { url, host, target: inFrontOf, faults });
    this.#say(`connections to ${url} pass to ${inFrontOf} and break as ${faults} says (Ctrl-C ends it)`);
    if (!isLoopback(host)) this.warn(`others can reach this lab, as it listens on ${host}`);
  }

  /** Tells of every connection that has ended, until the front closes. */
  async followFront(front: Front): Promise<void> {
    const told = new Set<number>();
    const ended = () => front.record.connections.filter((line) => line.closedAtMs !== undefined && !told.has(line.n));
    for (;;) {
      await front.until(() => ended().length > 0);
      for (const line of ended()) {
        told.add(line.n);
        this.#connection(line);
      }
    }
  }

  #connection(line: FrontConnectionRecord): void {
    this.#json('connection', { ...line });
    const faults = line.faults.length === 0 ? 'no fault' : line.faults.join(', ');
    this.#say(`connection ${line.n}: ${formatBytes(line.bytesDown)} down, end: ${line.endedBy} (${faults})`);
  }

  /** What the machine cannot do is said once; what it can needs no words. */
  kernelCan(faults: KernelAbilities['faults']): void {
    for (const [kind, ability] of Object.entries(faults)) {
      if (ability.kind === 'missing') this.#say(`the kernel here cannot do ${kind}: ${ability.why}`);
    }
  }

  kernelStarted({ host, port, enter }: KernelLab, fault: KernelFault | undefined): void {
    const url = `${this.#flags.tls ? 'https' : 'http'}://${host}:${port}`;
    this.#json('kernel', { url, enter, ...(fault && { fault }) });
    const what = fault === undefined ? 'nothing is disturbed yet' : `packets meet ${fault.kind}`;
    this.#say(`inside of a namespace the lab is ${url}/, and ${what}; run a client there: ${enter.join(' ')} COMMAND`);
  }

  warn(text: string): void {
    process.stderr.write(`reknit: warning: ${text}\n`);
  }

  /** Tells of the run, and of every answer in it until the lab closes. */
  async follow(run: Run): Promise<void> {
    const { name } = run.scenario;
    this.#json('run', { run: run.id, scenario: name, origin: run.origin });
    this.#say(`run ${run.id} of ${name} begins${run.origin === '' ? '' : ` at ${run.origin}`}`);
    for (let n = 1; ; n += 1) this.#answered(run, await run.untilAnswered(n));
  }

  #answered(run: Run, request: RequestRecord): void {
    const { headers: _headers, rawHeaders: _rawHeaders, ...rest } = request;
    this.#json('answer', { run: run.id, scenario: run.scenario.name, ...rest });
    const { status, bodyBytesSent, endedBy } = request.answered;
    const asked = [request.method, ...(request.range === undefined ? [] : [request.range])].join(' ');
    this.#say(
      `run ${run.id}: request ${request.n} (${asked}): ${status ?? 'no answer'}, ${formatBytes(bodyBytesSent)} of body, end: ${endedBy}`,
    );
  }

  #say(text: string): void {
    if (!this.#flags.quiet) process.stderr.write(`reknit: ${text}\n`);
  }

  #json(event: string, fields: Readonly<Record<string, unknown>>): void {
    if (this.#flags.json) process.stdout.write(`${JSON.stringify({ event, ...fields })}\n`);
  }
}

function isLoopback(host: string): boolean {
  return /^(127\.|::1$|localhost$)/.test(host);
}
