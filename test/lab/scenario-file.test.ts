/** Scenarios from files: what may be written, and that a mistake is shown by its line, its field, and what is allowed. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { catalogue, loadScenarios, parseFrontRules, parseScenarios, startLab } from '../../src/lab/index.ts';

const namesIn = async (text: string) => (await parseScenarios(text, 'f')).map(({ scenario }) => scenario.name);

describe('what may be written', () => {
  const forms: readonly (readonly [form: string, text: string, names: readonly string[]])[] = [
    ['one scenario', 'name: a', ['a']],
    ['a list', '- name: a\n- name: b', ['a', 'b']],
    ['scenarios', 'scenarios:\n  - name: a\n  - name: b', ['a', 'b']],
    ['several documents', 'name: a\n---\n- name: b\n- name: c', ['a', 'b', 'c']],
    ['JSON', '{"scenarios": [{"name": "a"}]}', ['a']],
    ['an anchor', '- { name: a, resource: &r { sizeBytes: 5 } }\n- { name: b, resource: *r }', ['a', 'b']],
  ];
  for (const [form, text, names] of forms) {
    test(form, async () => expect(await namesIn(text)).toEqual(names));
  }

  test('quantities with units, wherever a field is in ms or bytes', async () => {
    const [entry] = await parseScenarios(
      `name: a
resource: { sizeBytes: 1.5KiB, headers: { X-Delay-Ms: 10s } }
refuses: { forMs: 2m }
changes: [{ fromRequest: 2, keeps: { from: 0, to: 1KB } }]
requests:
  - on: 1
    do: { kind: cut, by: rst, at: body, atRandomByte: { min: 1KiB, max: 1MiB }, afterDrainMs: 40ms }
  - on: 2
    do: [{ kind: delay, delayMs: 1.5s }, { kind: wrong-length, byBytes: -1KiB }]
  - on: 3
    do: { kind: status, status: 503, retryAfterDateInMs: -1m }
  - on: 4
    do: { kind: stall, at: body, atOffset: 64KiB }
`,
      'f',
    );
    expect(entry!.scenario).toEqual({
      name: 'a',
      resource: { sizeBytes: 1536, headers: { 'X-Delay-Ms': '10s' } },
      refuses: { forMs: 120_000 },
      changes: [{ fromRequest: 2, keeps: { from: 0, to: 1000 } }],
      requests: [
        {
          on: 1,
          do: { kind: 'cut', by: 'rst', at: 'body', atRandomByte: { min: 1024, max: 1_048_576 }, afterDrainMs: 40 },
        },
        {
          on: 2,
          do: [
            { kind: 'delay', delayMs: 1500 },
            { kind: 'wrong-length', byBytes: -1024 },
          ],
        },
        { on: 3, do: { kind: 'status', status: 503, retryAfterDateInMs: -60_000 } },
        { on: 4, do: { kind: 'stall', at: 'body', atOffset: 65_536 } },
      ],
    });
  });

  test('what the catalogue says of a scenario may stand beside it', async () => {
    const text = 'name: a\nfamily: mine\ndescription: It is odd.\nexpect: fails\nwhy: Nobody knows.';
    expect(await parseScenarios(text, 'f')).toEqual([
      { scenario: { name: 'a' }, family: 'mine', description: 'It is odd.', expect: 'fails', why: 'Nobody knows.' },
    ]);
  });

  test('every scenario of the catalogue survives YAML and JSON', async () => {
    const items = catalogue.map(({ scenario, family, description, expect, why }) => {
      return { ...scenario, family, description, expect, why };
    });
    const entries = catalogue.map(({ needs: _needs, ...entry }) => entry);
    for (const text of [stringify(items, { aliasDuplicateObjects: false }), JSON.stringify(items, undefined, 2)]) {
      const read = (await parseScenarios(text, 'f')).map(({ needs: _needs, ...entry }) => entry);
      expect(read).toEqual(JSON.parse(JSON.stringify(entries)));
    }
  });

  test('a scenario from a file is played as it says', async () => {
    await using lab = await startLab();
    const folder = await mkdtemp(join(tmpdir(), 'reknit-scenarios-'));
    await writeFile(join(folder, 'mine.yml'), 'name: mine\nrequests: [{ on: 1, do: { kind: status, status: 418 } }]');
    const [entry] = await loadScenarios(join(folder, 'mine.yml'));
    const run = lab.play(entry!.scenario);
    expect([(await fetch(run.url)).status, (await fetch(run.url)).status]).toEqual([418, 200]);
    await rm(folder, { recursive: true });
  });
});

describe('a mistake is shown by line, field, what is allowed and what came', () => {
  const kinds = /^f:5: requests\[0\]\.do\.kind must be one of .*cut, stall, .*redirect: received "cutt"$/;
  const mistakes: readonly (readonly [text: string, message: string | RegExp])[] = [
    ['', 'f:1: it must be a scenario, a list of scenarios, or { scenarios: [...] }: received nothing'],
    ['[]', 'f:1: it must be a scenario, a list of scenarios, or { scenarios: [...] }: received nothing'],
    ['# only words', /^f:1: it must be a scenario/],
    ['just words', /^f:1: it must be a scenario, .*: received "just words"$/],
    ['- name: a\n- 5', 'f:2: [1] must be a scenario: received 5'],
    ['scenarios: 1', 'f:1: scenarios must be an array: received 1'],
    ['scenarios: []\n\nseed: 1', 'f:3: seed must be absent beside scenarios: received 1'],
    ['name: A b', 'f:1: name must be lower-case words joined by -: received "A b"'],
    ['seed: 1', 'f:1: name must be lower-case words joined by -: received nothing'],
    ['name: a\nseed: one', 'f:2: seed must be an integer: received "one"'],
    ['name: a\nname: b', 'f:2: Map keys must be unique'],
    ['name: [', /^f:1: Flow sequence /],
    ['name: a\n\tseed: 1', /^f:[12]: /],
    ['name: a\nb: *nowhere', /^f:\d: Unresolved alias/],
    ['name: a\nexpect: wins', 'f:2: expect must be one of heals, fails, either: received "wins"'],
    ['name: a\ndescription: 5', 'f:2: description must be a string: received 5'],
    ['- name: a\n- name: b\n- name: a', 'f:3: [2].name must be the only one of its name: received "a"'],
    [
      'name: a\n---\nname: b\nresource:\n  size: 5',
      /^f:5: resource\.size must be absent \(allowed: sizeBytes, .*\): received 5$/,
    ],
    ['name: a\nrequests:\n  - on: 1\n    do:\n      kind: cutt', kinds],
    [
      'name: a\nrequests:\n  - do: { kind: delay, delayMs: 1 }',
      /^f:3: requests\[0\]\.on must be 'every', .*: received nothing$/,
    ],
    [
      'name: a\nrequests:\n  - on: 1\n    do:\n      - { kind: delay, delayMs: 1s }\n      - { kind: delay, delayMs: soon }',
      'f:6: requests[0].do[1].delayMs must be a duration such as 40ms, 10s or 2m, or a number of milliseconds: received "soon"',
    ],
    [
      'name: a\nresource: { sizeBytes: 5 apples }',
      'f:2: resource.sizeBytes must be a size such as 512, 64KiB or 10MB, or a number of bytes: received "5 apples"',
    ],
    ['name: a\nresource:\n  sizeBytes: -1KiB', 'f:3: resource.sizeBytes must be an integer >= 0: received -1024'],
    [
      '{\n"name": "a",\n"conections": []\n}',
      /^f:3: conections must be absent \(allowed: name, .*description, family, expect, why\)/,
    ],
  ];
  for (const [text, message] of mistakes) {
    test(JSON.stringify(text), async () => {
      const error = await parseScenarios(text, 'f').catch((reason: Error) => reason);
      expect((error as Error).name).toBe('ScenarioFileError');
      if (typeof message === 'string') expect((error as Error).message).toBe(message);
      else expect((error as Error).message).toMatch(message);
    });
  }

  test('a field of any scenario that becomes nonsense is found on its own line', async () => {
    const leaves = catalogue.flatMap(({ scenario }) => {
      return (scenario.requests ?? []).flatMap((rule, at) => (Array.isArray(rule.do) ? [] : [{ scenario, at }]));
    });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...leaves), fc.nat({ max: 5 }), async ({ scenario, at }, before) => {
        const broken = structuredClone(scenario) as unknown as { requests: { do: { kind: unknown } }[] };
        broken.requests[at]!.do.kind = 'nonsense';
        const text = `${'# words\n'.repeat(before)}${stringify(broken)}`;
        const line = text.split('\n').findIndex((each) => each.includes('nonsense')) + 1;
        await expect(parseScenarios(text, 'f')).rejects.toThrow(`f:${line}: requests[${at}].do.kind must be one of `);
      }),
    );
  });

  test('whatever text it is, it is read or refused in one line', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string(), fc.json(), fc.stringMatching(/^[a-z:\-[\]{}&*\n ]*$/)), async (text) => {
        const outcome = await parseScenarios(text, 'f').catch((error: Error) => error);
        if (Array.isArray(outcome)) return;
        expect((outcome as Error).name).toBe('ScenarioFileError');
        expect((outcome as Error).message).toMatch(/^f:\d+: .+$/);
      }),
    );
  });
});

test('a file that is not there is said in one line', async () => {
  await expect(loadScenarios('/no/such.yaml')).rejects.toThrow(/^\/no\/such\.yaml: cannot be read: ENOENT/);
});

describe('rules of a front, from a file', () => {
  test('are read with units, as a list or under rules', async () => {
    const list = `
- { on: every, shareRatio: 0.2, do: { kind: refuse, afterMs: 10ms } }
- on: { from: 2 }
  do: [{ kind: rate, bytesPerSecond: 64KiB }, { kind: cut, by: rst, atRandomByte: { min: 1KiB, max: 1MiB } }]
`;
    const rules = [
      { on: 'every', shareRatio: 0.2, do: { kind: 'refuse', afterMs: 10 } },
      {
        on: { from: 2 },
        do: [
          { kind: 'rate', bytesPerSecond: 65_536 },
          { kind: 'cut', by: 'rst', atRandomByte: { min: 1024, max: 1_048_576 } },
        ],
      },
    ];
    expect(await parseFrontRules(list, 'f')).toEqual(rules);
    expect(await parseFrontRules(`rules: ${JSON.stringify(rules)}`, 'f')).toEqual(rules);
  });

  const mistakes: readonly (readonly [text: string, message: string | RegExp])[] = [
    ['', 'f:1: it must be a list of rules, or { rules: [...] }: received nothing'],
    ['5', 'f:1: it must be a list of rules, or { rules: [...] }: received 5'],
    ['[]', 'f:1: it must be a list of rules, or { rules: [...] }: received []'],
    ['- on: 1\n  do: { kind: cut, by: rst }\n---\n[]', /received several documents$/],
    ['- on: 1\n  do:\n    kind: cutt', /^f:3: \[0\]\.do\.kind must be one of refuse, cut, .*: received "cutt"$/],
    [
      '- { on: 1, shareRatio: 20, do: { kind: refuse } }',
      'f:1: [0].shareRatio must be a number from 0 to 1: received 20',
    ],
    [
      'rules:\n- on: 1\n  do: { kind: cut, by: rst, atByte: 1, everyBytes: 2 }',
      'f:3: rules[0].do must have one of atByte, everyBytes, atRandomByte: received ["atByte","everyBytes"]',
    ],
    [
      '- { on: 1, do: { kind: stall, atRandomByte: { min: 2, max: 1 } } }',
      'f:1: [0].do.atRandomByte.min must not be above max: received 2',
    ],
    ['- on: 1\n  do: []', /^f:2: \[0\]\.do must be an array of at least 1: received \[\]$/],
  ];
  for (const [text, message] of mistakes) {
    test(JSON.stringify(text), async () => {
      const error = (await parseFrontRules(text, 'f').catch((reason: Error) => reason)) as Error;
      expect(error.name).toBe('ScenarioFileError');
      if (typeof message === 'string') expect(error.message).toBe(message);
      else expect(error.message).toMatch(message);
    });
  }
});
