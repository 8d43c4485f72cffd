import {
  type RequestOptions as CommonOptions,
  type RequestRules as CommonRules,
  ConfigError,
  requestOptionNames as commonNames,
  type Policy,
  resolveRequestRules,
  show,
} from '../core/index.ts';
import type { BodySource } from './request-body.ts';

/** What one request may set for itself, beside what `fetch` or `undici.request` take. */
export interface RequestOptions extends CommonOptions {
  /** An end that cannot be proven is asked for again in a way that can: HTTP/2 without a length goes over HTTP/1.1. */
  readonly requireProof?: boolean | undefined;
}

/** A request's own settings, resolved. */
export interface RequestRules extends CommonRules {
  readonly requireProof: boolean;
  /** Redirects are followed below, since nobody above does. */
  readonly followRedirects: boolean;
  /** `fetch` follows redirects above us, each as a dispatch of its own. */
  readonly redirectsAbove: boolean;
  /** Where the body comes from, when dispatch only sees a stream made of it. */
  readonly bodySource: BodySource;
}

export const requestOptionNames = [...commonNames, 'requireProof'] as const;

/** Whether a request sets anything that rules are made of, its body included. */
export function hasOwnSettings(options: RequestOptions & { readonly body?: BodySource }): boolean {
  if (options.body !== undefined && options.body !== null) return true;
  for (const name of requestOptionNames) if (options[name] !== undefined) return true;
  return false;
}

const defaultsByPolicy = new WeakMap<Policy, RequestRules>();

/** Most requests set nothing: they share one object. */
export function defaultRules(policy: Policy): RequestRules {
  let rules = defaultsByPolicy.get(policy);
  if (rules === undefined) {
    rules = resolveRules({}, policy);
    defaultsByPolicy.set(policy, rules);
  }
  return rules;
}

/** @throws ConfigError naming the field, what must hold and what came */
export function resolveRules(
  options: RequestOptions,
  policy: Policy,
  extra: {
    readonly followRedirects?: boolean;
    readonly redirectsAbove?: boolean;
    readonly bodySource?: BodySource;
  } = {},
): RequestRules {
  const { requireProof = false } = options;
  if (typeof requireProof !== 'boolean')
    throw new ConfigError(
      `Cannot send the request as requireProof must be true or false: received ${show(requireProof)}`,
    );
  return {
    ...resolveRequestRules(options, policy),
    requireProof,
    followRedirects: extra.followRedirects ?? false,
    redirectsAbove: extra.redirectsAbove ?? false,
    bodySource: extra.bodySource,
  };
}
