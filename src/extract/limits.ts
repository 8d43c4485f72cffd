/** How much an archive may ask of this machine: a few KiB can unpack to a full disk. */
import { ConfigError, show } from '../core/index.ts';

export interface ExtractLimits {
  /** Of everything unpacked. @default 64 GiB */
  readonly maxBytes?: number;
  /** Unpacked bytes per byte of the archive, looked at once 64 MiB are unpacked. @default 200 */
  readonly maxRatio?: number;
  /** Files, folders and links. @default 1,000,000 */
  readonly maxEntries?: number;
  /** Of a whole path inside the archive. @default 4096 */
  readonly maxNameBytes?: number;
  /** Folders in folders. @default 128 */
  readonly maxDepth?: number;
}

export type Limits = Required<ExtractLimits>;

const GiB = 1_073_741_824;

export const defaultLimits: Limits = Object.freeze({
  maxBytes: 64 * GiB,
  maxRatio: 200,
  maxEntries: 1_000_000,
  maxNameBytes: 4_096,
  maxDepth: 128,
});

/** Small archives of nothing but zeros are no danger; deflate alone reaches 1,032. */
export const RATIO_GRACE_BYTES = 67_108_864;

/** @throws ConfigError naming the limit, what must hold and what came */
export function resolveLimits(limits: ExtractLimits = {}): Limits {
  for (const [name, value] of Object.entries(limits) as [string, unknown][]) {
    if (!Object.hasOwn(defaultLimits, name)) {
      throw new ConfigError(`Cannot extract as limits.${name} is not known: received ${show(value)}`);
    }
    if (value !== undefined && !(typeof value === 'number' && Number.isSafeInteger(value) && value >= 1)) {
      throw new ConfigError(`Cannot extract as limits.${name} must be an integer >= 1: received ${show(value)}`);
    }
  }
  const given = Object.entries(limits).filter(([, value]) => value !== undefined);
  return Object.freeze({ ...defaultLimits, ...Object.fromEntries(given) });
}
