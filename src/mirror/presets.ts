/** The kinds of origins that the mirror understands: one row each. */

import type { Preset } from './plan.ts';
import { apt } from './preset-apt.ts';
import { cargo } from './preset-cargo.ts';
import { generic } from './preset-generic.ts';
import { git } from './preset-git.ts';
import { go } from './preset-go.ts';
import { huggingface } from './preset-huggingface.ts';
import { npm } from './preset-npm.ts';
import { pypi } from './preset-pypi.ts';

export const presets = { pypi, npm, git, generic, cargo, go, apt, huggingface } as const satisfies Readonly<
  Record<string, Preset>
>;

export type PresetName = keyof typeof presets;

export const presetNames = Object.keys(presets) as readonly PresetName[];

export function isPresetName(name: string): name is PresetName {
  return Object.hasOwn(presets, name);
}
