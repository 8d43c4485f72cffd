/**
 * The client as one layer of a larger whole: whoever decides above about everything before an answer (a pool, a gateway)
 * has one attempt made at a time. There is one retry layer, and what heals a body behind its headers stays here.
 */
import { type Budget, ConfigError } from '../core/index.ts';
import type { Runtime } from '../runtime/index.ts';
import { type Client, type ClientOptions, createClientShared, PooledClient } from './client.ts';
import { Exchange } from './exchange.ts';
import { Life, type Operation } from './life.ts';
import { type RequestHeaders, withHeaders } from './request-headers.ts';
import { type RequestOptions, type RequestRules, resolveRules } from './request-options.ts';
import type { Sink } from './sink.ts';
import type { DispatchOptions } from './transport.ts';

/** A client over connections of its own whose repeats are paid from the budget of whoever is above. */
export function createClientBelow(options: ClientOptions, runtime: Runtime, budget: Budget): Client {
  return new PooledClient({ ...createClientShared(options, runtime, { isGentle: false }), budget });
}

/**
 * The same connections, for one attempt of a request that is decided about above.
 *
 * @throws ConfigError if the client was not made by `createClient`
 */
export function clientForAttempt(client: Client, operation: Operation): Client {
  return pooled(client).forOperation(operation);
}

/**
 * The settings that many attempts share: made once, not for each.
 *
 * @throws ConfigError naming the field, what must hold and what came
 */
export function rulesForAttempts(client: Client, options: RequestOptions): RequestRules {
  return resolveRules(options, pooled(client).shared.policy);
}

/** One attempt straight onto the wire, and into the hands of whoever takes the bytes: no stream, no promise is made for it. */
export function sendAttempt(
  client: Client,
  operation: Operation,
  rules: RequestRules,
  options: DispatchOptions,
  sink: Sink,
): void {
  const life = new Life(pooled(client).shared, rules, options, operation);
  new Exchange(life, options, sink).begin();
}

function pooled(client: Client): PooledClient {
  if (client instanceof PooledClient) return client;
  throw new ConfigError('Cannot send the request as `client` must come from `createClient`: received another object');
}

/** Headers with some of them replaced, however the caller wrote them. */
export function replaceHeaders(headers: RequestHeaders, own: Readonly<Record<string, string>>): RequestHeaders {
  const names = Object.keys(own);
  if (names.length === 0) return headers;
  return withHeaders(headers, new Set(names.map((name) => name.toLowerCase())), own);
}
