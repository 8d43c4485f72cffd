import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { ModelRequest } from './model-request.ts';
import { createRoute } from './routes.ts';

const json = { headers: { 'content-type': 'application/json; charset=utf-8' } } as IncomingMessage;
const chat = { model: 'm', messages: [] };

function asked(text: string, path = '/v1/chat/completions', request = json): ModelRequest {
  const one = new ModelRequest(request, path, { kind: 'whole', bytes: Buffer.from(text) }, false);
  one.goesBy(createRoute({}));
  return one;
}

describe('what a request to a model says', () => {
  it('is a stream only where the body says so, however the name is written', () => {
    expect(asked(JSON.stringify({ ...chat, stream: true })).wantsStream).toBe(true);
    expect(asked(String.raw`{"model":"m","messages":[],"\u0073tream":true}`).wantsStream).toBe(true);
    expect(asked(JSON.stringify({ ...chat, stream: false })).wantsStream).toBe(false);
    expect(asked(JSON.stringify({ ...chat, user: '"stream":true' })).wantsStream).toBe(false);
    expect(asked(JSON.stringify(chat)).wantsStream).toBe(false);
  });

  it('is inference only for a body that looks like one', () => {
    expect(asked(JSON.stringify(chat)).isInference).toBe(true);
    expect(asked(JSON.stringify({ model: 'm', input: 'x' }), '/v1/embeddings').isInference).toBe(true);
    expect(asked('{"model":"m"}').isInference).toBe(false);
    expect(asked('{"model":"m","messages":[').isInference).toBe(false);
    expect(asked(JSON.stringify(chat), '/upload').isInference).toBe(false);
    expect(asked(JSON.stringify(chat), undefined, { headers: {} } as IncomingMessage).isInference).toBe(false);
  });

  it('is left as it is where it is no object', () => {
    expect(asked('[1').withModel('other')).toBeUndefined();
    expect(asked(JSON.stringify(chat)).withModel('other')?.toString()).toBe('{"model":"other","messages":[]}');
  });
});
