/** A gateway in front of labs, as tests want it: any free port, quick waits, its log as lines. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createGateway, type Gateway, type GatewayConfig } from '../../src/gateway/index.ts';
import type { Run } from '../../src/lab/index.ts';

export type LogLine = Readonly<Record<string, unknown>> & { readonly msg: string };

export interface Gate extends AsyncDisposable {
  readonly gateway: Gateway;
  readonly url: string;
  /** Every line so far; the gateway is closed by it. */
  log(): Promise<readonly LogLine[]>;
  /** The sum of a counter over its labels that fit. */
  metric(name: string, labels?: Readonly<Record<string, string>>): Promise<number>;
}

export const quick = {
  rounds: { baseDelay: '10ms', maxDelay: '50ms' },
  timeouts: { connect: '2s', headers: '400ms', firstContent: '400ms', idle: '400ms', deadline: '20s' },
} as const;

export async function openGate(config: Partial<GatewayConfig>): Promise<Gate> {
  const folder = await mkdtemp(join(tmpdir(), 'reknit-gateway-'));
  const path = join(folder, 'access.log');
  const gateway = await createGateway({
    listen: '127.0.0.1:0',
    admin: '127.0.0.1:0',
    log: { to: path },
    ...quick,
    ...config,
  } as GatewayConfig);
  const metric: Gate['metric'] = async (name, labels = {}) => sumOf(await gateway.metrics(), name, labels);
  return {
    gateway,
    url: gateway.urls[0]!,
    log: async () => {
      await gateway.close();
      const text = await readFile(path, 'utf8');
      return text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as LogLine);
    },
    metric,
    [Symbol.asyncDispose]: async () => {
      await gateway.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function sumOf(text: string, name: string, labels: Readonly<Record<string, string>>): number {
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return text
    .split('\n')
    .filter((line) => line.startsWith(`reknit_${name}{`) || line.startsWith(`reknit_${name} `))
    .filter((line) => wanted.every((part) => line.includes(part)))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

/** An upstream that is played by a lab; the path of a request is appended, whatever it is. */
export function upstream(name: string, run: Run, more: object = {}) {
  const { origin, searchParams } = new URL(run.url);
  return { name, url: `${origin}/?${searchParams}`, ...more };
}

export function chat(url: string, init: RequestInit & { readonly body?: string } = {}): Promise<Response> {
  return fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({ model: 'lab-model', stream: true, messages: [{ role: 'user', content: 'hello' }] }),
    ...init,
    headers: { 'content-type': 'application/json', ...init.headers },
  });
}

export interface ReadStream {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** How the body broke off, where it did. */
  readonly error: unknown;
}

/** All that came, and how it ended. */
export async function readAll(response: Response): Promise<ReadStream> {
  const { status, headers } = response;
  const decoder = new TextDecoder();
  let text = '';
  try {
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>)
      text += decoder.decode(chunk, { stream: true });
    return { status, headers, text, error: undefined };
  } catch (error) {
    return { status, headers, text, error };
  }
}

/** What the model has said in a stream of the chat format. */
export function contentOf(text: string): string {
  return text
    .split('\n\n')
    .filter((frame) => frame.startsWith('data: {'))
    .map((frame) => JSON.parse(frame.slice(6)) as { choices?: { delta?: { content?: string } }[] })
    .map(({ choices }) => choices?.[0]?.delta?.content ?? '')
    .join('');
}
