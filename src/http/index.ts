export {
  ConfigError,
  ContentChangedError,
  DeadlineError,
  describeEvent,
  type EventListener,
  type Failure,
  GaveUpError,
  type GiveUpReason,
  type Integrity,
  IntegrityError,
  isReknitError,
  type Ledger,
  ledgerOf,
  ReknitError,
  type ReknitEvent,
} from '../core/index.ts';
export { clientForAttempt, createClientBelow, replaceHeaders, rulesForAttempts, sendAttempt } from './below.ts';
export {
  type Client,
  type ClientOptions,
  type ClientRequestOptions,
  type ClientResponse,
  createClient,
  type JsonOptions,
} from './client.ts';
export type { TlsOptions } from './connect.ts';
export { optionsFromEnvironment, optionsFromValues, parseOption, variableOf } from './environment.ts';
export type { FetchInit } from './fetch.ts';
export { type HealingOptions, healing } from './healing.ts';
export { install } from './install.ts';
export type { Above, KeptBody, Operation } from './life.ts';
export { createProxyRules, type ForwardProxy, type ProxyOption, type ProxySettings } from './proxy-rules.ts';
export type { BodySource } from './request-body.ts';
export { headerOf, type RequestHeaders } from './request-headers.ts';
export type { RequestOptions, RequestRules } from './request-options.ts';
export type { RawHeaders } from './response-fields.ts';
export { type OperationContext, type RetryOperationOptions, retry } from './retry.ts';
export { fetch, request } from './shared-client.ts';
export type { Sink, SinkControl } from './sink.ts';
export { basicAuthorizationOf } from './target.ts';
export type { DispatchOptions } from './transport.ts';
export type { WholeOptions } from './whole.ts';
