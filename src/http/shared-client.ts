/** `fetch` and `request` for those who need no client of their own: one, with the defaults, made at the first use. */
import { type Client, type ClientRequestOptions, type ClientResponse, createClient } from './client.ts';
import type { FetchInit } from './fetch.ts';

let client: Client | undefined;

function sharedClient(): Client {
  client ??= createClient();
  return client;
}

/** `client.fetch` of a client with the defaults. */
export function fetch(input: string | URL | Request, init?: FetchInit): Promise<Response> {
  return sharedClient().fetch(input, init);
}

/** `client.request` of a client with the defaults. */
export function request(url: string | URL, options?: ClientRequestOptions): Promise<ClientResponse> {
  return sharedClient().request(url, options);
}
