/** However a run ends (by itself, by signals, by a deadline, by its own death), nothing that it has started is left. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { run } from '../../src/run/index.ts';
import { createFolder, jsonLines, main, reknit, start } from '../cli/command.ts';
import { canSeeProcesses, createMark } from './processes.ts';

const quick = ['run', '--retry-delay', '1ms'];
const sh = (script: string) => ['--', 'sh', '-c', script];
const broken = 'echo "curl: (56) Recv failure: Connection reset by peer" >&2';
/** A family of three in one process group. */
const family = 'sleep 1000 & sh -c "sleep 1001; :" & sleep 1002; :';

const heard = async ({ stdout }: ChildProcess, text: string) => {
  let all = '';
  for await (const chunk of stdout!) {
    all += String(chunk);
    if (all.includes(text)) return;
  }
};

async function untilExists(path: string): Promise<void> {
  while (!existsSync(path)) await sleep(10);
}

describe.skipIf(!canSeeProcesses)('nothing is left', () => {
  const mark = createMark();
  afterEach(() => {
    for (const pid of mark.alive().keys()) process.kill(pid, 'SIGKILL');
  });

  test('of a command that ends while what it has started goes on', async () => {
    const { code } = await reknit(['run', ...sh('sleep 1000 & exit 3')], { env: mark.env });
    expect(code).toBe(3);
    await mark.untilNoneIsLeft();
  });

  test('of one whose children hear no SIGTERM', async () => {
    const deaf = "trap '' TERM; (trap '' TERM; while :; do sleep 0.05; done) & exit 0";
    expect((await reknit(['run', ...sh(deaf)], { env: mark.env })).code).toBe(0);
    await mark.untilNoneIsLeft();
  });

  test('between attempts: what a failed one has started does not meet the next', async () => {
    await using folder = await createFolder();
    // Who has ended and was not fetched yet by its parent is gone.
    const look = '[ ! -e pid ] || { grep -qs "^State:.[^ZX]" /proc/$(cat pid)/status && echo alive || echo gone; }';
    const script = `${look}; sleep 1000 & echo $! >pid; ${broken}; exit 56`;
    const options = { env: mark.env, cwd: folder.path };
    const { stdout } = await reknit([...quick, '--max-attempts', '3', ...sh(script)], options);
    expect(stdout.toString()).toBe('gone\ngone\n');
    await mark.untilNoneIsLeft();
  });

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('after %s, which all of the process group gets', async (name, code) => {
    const { child, ended } = start([...quick, ...sh(`(sleep 1000) & echo ready; sleep 1001`)], { env: mark.env });
    await heard(child, 'ready');
    child.kill(name);
    expect((await ended).code).toBe(code);
    await mark.untilNoneIsLeft();
  });

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'after a second %s, where the command does not hear the first',
    async (name) => {
      const word = name.slice(3);
      const script = `trap 'echo heard' ${word}; echo ready; while :; do sleep 0.02; done`;
      const { child, ended } = start([...quick, ...sh(script)], { env: mark.env });
      let all = '';
      for await (const chunk of child.stdout!) {
        const before = all;
        all += String(chunk);
        if (!before.includes('ready') && all.includes('ready')) child.kill(name);
        if (!before.includes('heard') && all.includes('heard')) {
          // Sooner, it would be taken for the same Ctrl-C that came by two ways.
          await sleep(400);
          child.kill(name);
        }
      }
      expect((await ended).code).toBe(137);
      await mark.untilNoneIsLeft();
    },
  );

  test('when the deadline passes: the whole family is ended', async () => {
    const { code, stderr } = await reknit(['run', '--deadline', '500ms', ...sh(family)], { env: mark.env });
    expect([code, stderr]).toEqual([143, expect.stringContaining('the deadline has passed')]);
    await mark.untilNoneIsLeft();
  });

  test('when the deadline passes, and nobody hears SIGTERM', async () => {
    const deaf = "trap '' TERM; while :; do sleep 0.05; done";
    const { code } = await reknit(['run', '--deadline', '300ms', ...sh(deaf)], { env: mark.env });
    expect(code).toBe(137);
    await mark.untilNoneIsLeft();
  });

  test('when reknit itself is killed by SIGKILL, which nobody can hear', async () => {
    const { child, ended } = start(['run', ...sh(`echo ready; ${family}`)], { env: mark.env });
    await heard(child, 'ready');
    await mark.until('sleep 1001');
    child.kill('SIGKILL');
    await ended;
    await mark.untilNoneIsLeft();
  });

  test('when reknit is killed between attempts', async () => {
    const words = ['run', '--retry-delay', '1h', '--max-delay', '1h', '--json', ...sh(`${broken}; exit 56`)];
    const { child, ended } = start(words, { env: mark.env });
    await once(child.stderr!, 'data');
    child.kill('SIGKILL');
    await ended;
    await mark.untilNoneIsLeft();
  });

  test('when the group of reknit is killed, as a CI does that cancels', async () => {
    const child = spawn(process.execPath, [main, 'run', ...sh(`echo ready; ${family}`)], {
      env: { PATH: process.env.PATH, ...mark.env },
      stdio: ['ignore', 'pipe', 'ignore'],
      detached: true,
    });
    await heard(child, 'ready');
    process.kill(-child.pid!, 'SIGKILL');
    await mark.untilNoneIsLeft();
  });

  test('of a call whose signal is aborted; it rejects with the reason', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const env = { ...process.env, ...mark.env };
    const onEvent = ({ type }: { readonly type: string }) => type === 'attempt' && started();
    let started = () => {};
    const begun = new Promise<void>((resolve) => {
      started = resolve;
    });
    const call = run('sh', ['-c', family], { env, onEvent, signal: controller.signal, stdin: 'ignore' });
    await begun;
    await mark.until('sleep 1001');
    controller.abort(reason);
    await expect(call).rejects.toBe(reason);
    await mark.untilNoneIsLeft();
  });
});

test('a command that ends its own way after a signal keeps its exit code, and is not repeated', async () => {
  await using folder = await createFolder();
  const script = `echo run >>runs; trap '${broken}; exit 5' TERM; echo ready; while :; do sleep 0.02; done`;
  const { child, ended } = start([...quick, '--json', ...sh(script)], { cwd: folder.path });
  await heard(child, 'ready');
  child.kill('SIGTERM');
  const { code, stderr } = await ended;
  expect(code).toBe(5);
  const lines = stderr.split('\n').filter((line) => line.startsWith('{'));
  expect(jsonLines(lines.join('\n')).at(-1)).toMatchObject({ event: 'end', reason: 'interrupted', attempts: 1 });
  expect(await readFile(folder.file('runs'), 'utf8')).toBe('run\n');
});

test('a signal ends the wait between attempts at once', async () => {
  const words = ['run', '--retry-delay', '1h', '--max-delay', '1h', '--json', ...sh(`${broken}; exit 56`)];
  const { child, ended } = start(words);
  for await (const chunk of child.stderr!) if (String(chunk).includes('"wait"')) child.kill('SIGTERM');
  expect(await ended).toMatchObject({ code: 143, stderr: expect.stringContaining('"interrupted"') });
});

test('one SIGINT that comes by two ways is one', async () => {
  await using folder = await createFolder();
  const script = `trap 'sleep 0.3; exit 9' INT; : >ready; while :; do sleep 0.02; done`;
  const { child, ended } = start([...quick, ...sh(script)], { cwd: folder.path });
  await untilExists(folder.file('ready'));
  child.kill('SIGINT');
  child.kill('SIGINT');
  expect((await ended).code).toBe(9);
});

test('a deadline that the next wait would pass ends it before the wait', async () => {
  // The wait is drawn from an hour: that it fits into a second does not happen.
  const words = ['run', '--deadline', '1s', '--retry-delay', '1h', '--max-delay', '1h', '--json'];
  const { code, stderr } = await reknit([...words, ...sh(`${broken}; exit 56`)]);
  expect([code, stderr]).toEqual([56, expect.stringContaining('"reason":"deadline"')]);
});
