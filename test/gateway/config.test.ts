import { readFile, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { gatewayJsonSchema, parseConfig } from '../../src/gateway/index.ts';

function mistakes(text: string): string {
  try {
    parseConfig(text, 'g.yaml');
    return 'none';
  } catch (error) {
    return (error as Error).message;
  }
}

test('a mistake is told with file, line, field, what is right and what came', () => {
  const rows: [string, string][] = [
    [
      'listen: 127.0.0.1:1\nupstreams:\n  - url: ftp://x\n',
      'g.yaml:3: upstreams[0].url must be an http or https URL: received "ftp://x"',
    ],
    [
      'listen: 127.0.0.1:1\nupstreams: [http://a]\ntimeouts:\n  idle: 10\n',
      'g.yaml:4: timeouts.idle must be a string: received 10',
    ],
    [
      'listen: 127.0.0.1:1\nupstreams: [http://a]\ntimeouts:\n  idle: soon\n',
      'g.yaml:4: timeouts.idle must be a duration such as 500ms, 10s or 5m: received "soon"',
    ],
    [
      'listen: 127.0.0.1:1\nupstreams: [http://a]\nlimits:\n  bodyBytes: 10 apples\n',
      'g.yaml:4: limits.bodyBytes must be a size such as 512, 64KiB or 10MB: received "10 apples"',
    ],
    ['listen: 127.0.0.1:1\nupstreams: []\n', 'g.yaml:2: upstreams must not be empty: received []'],
    ['listen: here\nupstreams: [http://a]\n', 'g.yaml:1: listen must be HOST:PORT'],
    [
      'listen: 127.0.0.1:1\nupstreams: [http://a]\nretries: 3\n',
      'g.yaml:3: retries must be absent: it is not known here: received "retries"',
    ],
    [
      'listen: 127.0.0.1:1\nupstreams:\n  - url: http://a\n    wieght: 2\n',
      'g.yaml:4: upstreams[0].wieght must be absent',
    ],
    [
      'listen: 127.0.0.1:1\nupstreams: [http://a]\nroutes:\n  - pool: other\n',
      'g.yaml:4: routes[0].pool must be one of the pools (default): received "other"',
    ],
    ['listen: 127.0.0.1:1\n', 'g.yaml:1: the configuration must have upstreams or pools'],
    [
      'listen: 127.0.0.1:1\nupstreams: [http://a]\nstream:\n  mode: atom\n',
      'g.yaml:4: stream.mode must be one of error, atomic: received "atom"',
    ],
    ['listen: [\n', 'g.yaml:'],
  ];
  for (const [text, expected] of rows) expect(mistakes(text)).toContain(expected);
});

test('ten lines are a configuration, and JSON is one as well', () => {
  expect(
    mistakes(
      'listen: 127.0.0.1:8080\nupstreams:\n  - https://api.one.example\n  - url: https://api.two.example\n    tier: 1\n    credential: { env: TWO_KEY }\ntimeouts: { firstContent: 10s }\n',
    ),
  ).toBe('none');
  expect(mistakes('{"listen": "127.0.0.1:8080", "upstreams": ["http://a"]}')).toBe('none');
});

test('the published JSON Schema is made from the schema that checks', async () => {
  const path = new URL('../../docs/gateway.schema.json', import.meta.url);
  const made = `${JSON.stringify(gatewayJsonSchema(), undefined, 2)}\n`;
  if (process.env.REKNIT_UPDATE === '1') await writeFile(path, made);
  expect(await readFile(path, 'utf8')).toBe(made);
});
