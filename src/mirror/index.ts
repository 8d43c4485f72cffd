/** A healing mirror on a local address in front of package registries and other origins. */
export { createMirror, type Mirror, type MirroredOrigin } from './mirror.ts';
export type { MirrorEvent, MirrorListener, MirrorOptions, MirrorOrigin } from './options.ts';
export { type PresetName, presetNames } from './presets.ts';
