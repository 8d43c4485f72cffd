/** A healing mirror on a local address in front of package registries and other origins. */
export { createMirror, isLoopback, type Mirror, type MirroredOrigin, type MirrorStatus } from './mirror.ts';
export type { MirrorEvent, MirrorListener, MirrorOptions, MirrorOrigin } from './options.ts';
export { type PresetName, presetNames } from './presets.ts';
