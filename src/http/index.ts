export {
  ConfigError,
  ContentChangedError,
  DeadlineError,
  type Failure,
  GaveUpError,
  type GiveUpReason,
  type Integrity,
  IntegrityError,
  isReknitError,
  type Ledger,
  ReknitError,
} from '../core/index.ts';
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
export { describeEvent, type EventListener, type ReknitEvent } from './events.ts';
export type { FetchInit } from './fetch.ts';
export { type HealingOptions, healing } from './healing.ts';
export { install } from './install.ts';
export { ledgerOf } from './ledger-of.ts';
export type { ProxyOption, ProxySettings } from './proxy-rules.ts';
export type { BodySource } from './request-body.ts';
export type { RequestOptions } from './request-options.ts';
export { type OperationContext, type RetryOperationOptions, retry } from './retry.ts';
export { fetch, request } from './shared-client.ts';
export type { WholeOptions } from './whole.ts';
