import { type CatalogueEntry, expectWords } from '../lab/index.ts';
import { allPresets } from './conformance-presets.ts';

/** `--list`: what can be played, and to whom. */
export function describeList(entries: readonly CatalogueEntry[]): string {
  const nameWidth = Math.max(...entries.map(({ scenario }) => scenario.name.length));
  const presetWidth = Math.max(...allPresets.map(({ name }) => name.length));
  const families = [...new Set(entries.map(({ family }) => family))];
  const groups = families.map((family) => {
    const lines = entries
      .filter((entry) => entry.family === family)
      .map(({ scenario, expect, description }) =>
        `  ${scenario.name.padEnd(nameWidth)}  ${expectWords[expect].padEnd(15)}  ${description}`.trimEnd(),
      );
    return `${family}\n${lines.join('\n')}\n`;
  });
  const presets = allPresets.map(({ name, how }) => `  ${name.padEnd(presetWidth)}  ${how}`);
  return `${groups.join('\n')}\npresets\n${presets.join('\n')}\n`;
}

/** `--list --json`: one line per scenario and per preset. */
export function listLines(entries: readonly CatalogueEntry[]): string {
  const scenarios = entries.map(({ scenario, family, expect, description, why, needs }) => ({
    event: 'scenario',
    scenario: scenario.name,
    family,
    expect,
    description,
    why,
    needs,
  }));
  const presets = allPresets.map(({ name, title, how }) => ({ event: 'preset', preset: name, title, how }));
  return [...scenarios, ...presets].map((line) => `${JSON.stringify(line)}\n`).join('');
}
