export {
  ConfigError,
  ContentChangedError,
  DeadlineError,
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
  type RequestOptions,
} from '../core/index.ts';
export type { Fetch, FetchInit } from './outgoing.ts';
export type { BodySource } from './request-body.ts';
export { type WrapOptions, type WrappedFetch, wrapFetch } from './wrap-fetch.ts';
