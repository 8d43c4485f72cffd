import type { Scenario } from './scenario.ts';

/**
 * What a right client does that is told the URL only, may try 20 times without long waits, and reads the whole
 * resource by GET: it ends with exactly the bytes of one version, it ends with an error, or both are right.
 * Success with other bytes is never right, and neither is waiting for ever.
 */
export type Expectation = 'heals' | 'fails' | 'either';

/** A scenario with its place in the catalogue. */
export interface CatalogueEntry {
  readonly scenario: Scenario;
  readonly family: string;
  /** What the server does, in one sentence. */
  readonly description: string;
  readonly expect: Expectation;
  readonly why: string;
  /** `tls`: only played by a lab with TLS. `http2`: for clients that speak it; another one meets nothing wrong. `proxy`: for clients that are told of `run.proxy`. */
  readonly needs?: 'tls' | 'http2' | 'proxy';
}

/** Sizes in the catalogue refer to this size of the resource and grow with it. */
export const catalogueBytes = 8 * 1024 * 1024;

/** From a sixty-fourth to an eighth of the resource, as 1 to 8 MiB of 64 MiB. */
export const earlyCut = { min: catalogueBytes / 64, max: catalogueBytes / 8 };

export const resource = { sizeBytes: catalogueBytes };
