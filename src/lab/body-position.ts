import type { BodyPosition } from './scenario.ts';
import { drawBetween } from './seeded.ts';

/** The answer in which a place is looked for. */
export interface BodyBounds {
  readonly sizeBytes: number;
  /** The offset in the representation of its first byte. */
  readonly startsAt: number;
  readonly seed: number;
  readonly requestNumber: number;
}

/** Bytes of the body before the place, or `undefined` where the body does not have it. */
export function resolvePosition(position: BodyPosition, bounds: BodyBounds): number | undefined {
  const atByte = bytesBefore(position, bounds);
  return atByte >= 0 && atByte < Math.max(bounds.sizeBytes, 1) ? atByte : undefined;
}

function bytesBefore(position: BodyPosition, { startsAt, seed, requestNumber }: BodyBounds): number {
  if (position.atByte !== undefined) return position.atByte;
  // An answer that begins at the offset does not span it: otherwise no resume could ever get past it.
  if (position.atOffset !== undefined) return position.atOffset > startsAt ? position.atOffset - startsAt : -1;
  if (position.everyBytes !== undefined) return position.everyBytes - (startsAt % position.everyBytes);
  const random = position.atRandomByte;
  return random === undefined ? 0 : drawBetween(random.min, random.max, seed, requestNumber);
}
