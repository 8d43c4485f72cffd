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
export type { EventListener, ReknitEvent } from './events.ts';
export { ledgerOf } from './ledger-of.ts';
export type { Fetch, FetchInit } from './outgoing.ts';
export type { BodySource } from './request-body.ts';
export type { RequestOptions } from './request-options.ts';
export { type WrapOptions, type WrappedFetch, wrapFetch } from './wrap-fetch.ts';
