/** The clients that people use, unmodified, behind the gateway: none takes a cut for an end. */
import { execFile } from 'node:child_process';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { expect, test } from 'vitest';
import { modelStream, type StreamFormat, type StreamPlan, startLab, textOf } from '../../src/lab/index.ts';
import { openGate, upstream } from './gate.ts';

interface Heard {
  readonly text: string;
  readonly error: { readonly name: string; readonly message: string } | undefined;
}

async function hear(listen: (say: (text: string) => void) => Promise<void>): Promise<Heard> {
  let text = '';
  try {
    await listen((part) => {
      text += part;
    });
    return { text, error: undefined };
  } catch (error) {
    return { text, error: error as Error };
  }
}

const clients: Readonly<Record<string, { readonly format: StreamFormat; hear(url: string): Promise<Heard> }>> = {
  'openai, chat completions': {
    format: 'openai-chat',
    hear: (url) =>
      hear(async (say) => {
        const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'k' });
        const messages = [{ role: 'user', content: 'hello' }] as const;
        const stream = await client.chat.completions.create({
          model: 'lab-model',
          stream: true,
          messages: [...messages],
        });
        for await (const chunk of stream) say(chunk.choices[0]?.delta.content ?? '');
      }),
  },
  'openai, responses': {
    format: 'openai-responses',
    hear: (url) =>
      hear(async (say) => {
        const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'k' });
        const stream = await client.responses.create({ model: 'lab-model', stream: true, input: 'hello' });
        for await (const event of stream) if (event.type === 'response.output_text.delta') say(event.delta);
      }),
  },
  'anthropic, messages': {
    format: 'anthropic',
    hear: (url) =>
      hear(async (say) => {
        const client = new Anthropic({ baseURL: url, apiKey: 'k' });
        const messages = [{ role: 'user', content: 'hello' }] as const;
        const stream = await client.messages.create({
          model: 'lab-model',
          max_tokens: 9,
          stream: true,
          messages: [...messages],
        });
        for await (const event of stream)
          if (event.type === 'content_block_delta' && event.delta.type === 'text_delta') say(event.delta.text);
      }),
  },
  'curl -N': {
    format: 'openai-chat',
    hear: (url) => {
      const body = JSON.stringify({ model: 'm', stream: true, messages: [] });
      const args = ['-sSN', '-H', 'content-type: application/json', '-d', body, `${url}/v1/chat/completions`];
      return new Promise((resolve) => {
        execFile('curl', args, (error, stdout) => {
          const text = [...stdout.matchAll(/"content":"(t\d+ )"/g)].map(([, token]) => token).join('');
          resolve({ text, error: error ?? undefined });
        });
      });
    },
  },
};

const troubles: readonly NonNullable<StreamPlan['trouble']>[] = [
  { kind: 'cut', atToken: 6, by: 'rst' },
  { kind: 'cut', atToken: 6, by: 'fin' },
  { kind: 'no-end', atToken: 6 },
  { kind: 'stall', atToken: 6 },
  { kind: 'error-after', atToken: 6, code: 'overloaded_error' },
];

for (const [name, client] of Object.entries(clients)) {
  test(`${name}: a whole stream is whole, also when its first upstream breaks before a word`, async () => {
    await using lab = await startLab();
    const bad = lab.play(
      modelStream({ name: 'bad', format: client.format, trouble: { kind: 'cut', atToken: 0, by: 'rst' } }),
      { port: 'own' },
    );
    const well = lab.play(modelStream({ name: 'well', format: client.format, tokenMs: 20 }), { port: 'own' });
    await using gate = await openGate({ upstreams: [upstream('bad', bad), upstream('well', well, { tier: 1 })] });
    expect(await client.hear(gate.url)).toEqual({ text: textOf(12), error: undefined });
    expect([bad.requestCount, well.requestCount]).toEqual([1, 1]);
  });

  test(`${name}: no cut, silence or error is taken for an end, and nothing is asked for again`, async () => {
    for (const trouble of troubles) {
      await using lab = await startLab();
      const run = lab.play(modelStream({ name: 'bad', format: client.format, trouble }), { port: 'own' });
      await using gate = await openGate({ upstreams: [upstream('bad', run)] });
      const { text, error } = await client.hear(gate.url);
      expect([trouble.kind, textOf(12).startsWith(text), error]).toEqual([trouble.kind, true, expect.any(Error)]);
      expect([trouble.kind, run.requestCount]).toEqual([trouble.kind, 1]);
    }
  });

  test(`${name}: when nobody is left, the client’s own retries do not multiply the attempts`, async () => {
    await using lab = await startLab();
    const run = lab.play(
      modelStream({ name: 'bad', format: client.format, trouble: { kind: 'status', status: 503 } }),
      { port: 'own' },
    );
    await using gate = await openGate({ upstreams: [upstream('bad', run)] });
    const { error } = await client.hear(gate.url);
    if (name !== 'curl -N') expect(error).toMatchObject({ status: 503 });
    expect(run.requestCount).toBe(3);
  });
}
