/** Runs each tool many times through connections that break: with reknit, with its repeats alone, and without it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startOrigins } from './origins.ts';
import type { RealTool } from './tools.ts';

const main = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));

export type Way = 'via' | 'run' | 'plain';

export interface Told {
  readonly isDone: boolean;
  readonly elapsedMs: number;
  /** What the failing command said, or what was wrong with what it left. */
  readonly said: string;
}

export interface Plan {
  readonly tool: RealTool;
  readonly way: Way;
  readonly count: number;
  readonly atOnce: number;
  readonly seed: number;
  /** Ends a run that goes on and on. */
  readonly timeoutMs: number;
}

export interface Tally extends Plan {
  readonly told: readonly Told[];
  /** At the fronts, all runs together. */
  readonly connections: number;
  readonly refused: number;
  readonly cut: number;
}

export async function runMany(plan: Plan): Promise<Tally> {
  await using origins = await startOrigins(plan.seed);
  const told: Told[] = [];
  let next = 0;
  const lane = async () => {
    while (next < plan.count) {
      next += 1;
      told.push(await runOnce(plan, origins));
    }
  };
  await Promise.all(Array.from({ length: plan.atOnce }, lane));
  const connections = [...origins.fronts.values()].flatMap(({ record }) => record.connections);
  const endedBy = (how: string) => connections.filter((each) => each.endedBy === how).length;
  return { ...plan, told, connections: connections.length, refused: endedBy('refused'), cut: endedBy('rst') };
}

async function runOnce(
  { tool, way, timeoutMs }: Plan,
  origins: Awaited<ReturnType<typeof startOrigins>>,
): Promise<Told> {
  const folder = await mkdtemp(join(tmpdir(), 'reknit-real-'));
  const startedAt = performance.now();
  const tell = (isDone: boolean, said: string): Told => ({ isDone, said, elapsedMs: performance.now() - startedAt });
  try {
    await tool.prepare?.(folder, origins);
    for (const command of tool.commands(folder, origins, way === 'via' ? 'via' : 'straight')) {
      const words = way === 'plain' ? command : reknitWords(tool, way, command, origins);
      const { code, output } = await call(words, folder, timeoutMs);
      if (code !== 0) return tell(false, `exit ${code}: ${output.slice(-2_000)}`);
    }
    await tool.check(folder, origins);
    return tell(true, '');
  } catch (error) {
    return tell(false, String(error));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function reknitWords(
  tool: RealTool,
  way: 'via' | 'run',
  command: readonly string[],
  origins: Awaited<ReturnType<typeof startOrigins>>,
): readonly string[] {
  return [process.execPath, main, 'run', ...(way === 'via' ? tool.via(origins) : []), '--', ...command];
}

interface Called {
  readonly code: number | string;
  readonly output: string;
}

function call([program = '', ...args]: readonly string[], cwd: string, timeoutMs: number): Promise<Called> {
  return new Promise((resolve) => {
    const child: ChildProcess = spawn(program, args, {
      cwd,
      env: { PATH: process.env.PATH, HOME: cwd, LANG: 'C', GIT_TERMINAL_PROMPT: '0', PIP_CONFIG_FILE: '/dev/null' },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    let output = '';
    const take = (chunk: Buffer) => {
      output = (output + String(chunk)).slice(-8_000);
    };
    child.stdout!.on('data', take);
    child.stderr!.on('data', take);
    // By its group, and reknit by its own parent's death: nothing is left.
    const timer = setTimeout(() => process.kill(-child.pid!, 'SIGKILL'), timeoutMs);
    child.once('error', (error) => resolve({ code: String(error), output }));
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code: code ?? String(signal), output });
    });
  });
}
