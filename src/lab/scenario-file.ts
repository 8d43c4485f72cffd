import type { CatalogueEntry } from './catalogue-entry.ts';
import { problemOf } from './check-scenario.ts';
import { isObject, oneOf, type Problem, text as textCheck } from './check-value.ts';
import type { Scenario } from './scenario.ts';
import { type Parsed, parseDocuments, readText, ScenarioFileError } from './scenario-file-document.ts';

/**
 * Scenarios from a YAML or JSON file: one, a list, `{ scenarios: [...] }`, or several YAML documents of these. Fields are
 * those of `Scenario`; where a name ends in `Ms` or speaks of bytes, `10s` and `64KiB` may be written. Beside them may
 * stand `description`, `family`, `expect` and `why` of a `CatalogueEntry`.
 * @throws ScenarioFileError with file, line, field and what is allowed; also where the file cannot be read.
 */
export async function loadScenarios(path: string): Promise<readonly CatalogueEntry[]> {
  return parseScenarios(await readText(path), path);
}

/**
 * The same from text; `name` stands in messages.
 * @throws ScenarioFileError
 */
export async function parseScenarios(text: string, name: string): Promise<readonly CatalogueEntry[]> {
  const places = (await parseDocuments(text, name)).flatMap(placesIn);
  if (places.length === 0) throw new ScenarioFileError(`${name}:1: it must ${anyForm}: received nothing`);
  const entries = places.map(entryAt);
  rejectDoubles(places, entries);
  return entries;
}

/** Where a scenario stands in its document. */
interface Place {
  readonly parsed: Parsed;
  /** `''`, `[2]` or `scenarios[2]`. */
  readonly field: string;
  readonly value: unknown;
}

const anyForm = 'be a scenario, a list of scenarios, or { scenarios: [...] }';

function placesIn(parsed: Parsed): readonly Place[] {
  const { root, mistake } = parsed;
  if (Array.isArray(root)) return placesOf(parsed, root, '');
  if (!isObject(root)) throw mistake({ field: '', must: anyForm, received: root });
  if (!('scenarios' in root)) return [{ parsed, field: '', value: root }];
  const other = Object.keys(root).find((key) => key !== 'scenarios');
  if (other !== undefined) {
    throw mistake({ field: other, must: 'be absent beside scenarios', received: root[other] });
  }
  if (Array.isArray(root.scenarios)) return placesOf(parsed, root.scenarios, 'scenarios');
  throw mistake({ field: 'scenarios', must: 'be an array', received: root.scenarios });
}

function placesOf(parsed: Parsed, values: readonly unknown[], field: string): readonly Place[] {
  return values.map((value, index) => ({ parsed, field: `${field}[${index}]`, value }));
}

const beside = {
  description: textCheck,
  family: textCheck,
  expect: oneOf('heals', 'fails', 'either'),
  why: textCheck,
};

function entryAt({ parsed, field, value }: Place): CatalogueEntry {
  const complain = (problem: Problem) => parsed.mistake({ ...problem, field: joined(field, problem.field) });
  if (!isObject(value)) throw complain({ field: '', must: 'be a scenario', received: value });
  for (const [name, check] of Object.entries(beside)) {
    const problem = value[name] === undefined ? undefined : check(value[name], name);
    if (problem !== undefined) throw complain(problem);
  }
  const { description, family, expect, why, ...scenario } = value;
  const problem = problemOf(scenario);
  if (problem !== undefined) throw complain(withWhatMayStandBeside(problem));
  return {
    scenario: scenario as unknown as Scenario,
    family: (family as string) ?? 'from a file',
    description: (description as string) ?? '',
    expect: (expect as CatalogueEntry['expect']) ?? 'either',
    why: (why as string) ?? '',
    ...needsOf(scenario as unknown as Scenario),
  };
}

/** The check of scenarios does not know what a file may say about them. */
function withWhatMayStandBeside(problem: Problem): Problem {
  const isOwnField = !/[.[]/.test(problem.field) && problem.must.startsWith('be absent (allowed: ');
  if (!isOwnField) return problem;
  return { ...problem, must: problem.must.replace(/\)$/, `, ${Object.keys(beside).join(', ')})`) };
}

function needsOf({ protocol, connections = [] }: Scenario): Pick<CatalogueEntry, 'needs'> {
  if (protocol !== undefined) return { needs: 'http2' };
  const isTls = connections.some((rule) => rule.do.kind.startsWith('tls-') || rule.do.kind === 'certificate');
  return isTls ? { needs: 'tls' } : {};
}

function rejectDoubles(places: readonly Place[], entries: readonly CatalogueEntry[]): void {
  const seen = new Set<string>();
  for (const [index, { scenario }] of entries.entries()) {
    const { parsed, field } = places[index]!;
    if (seen.has(scenario.name)) {
      throw parsed.mistake({
        field: joined(field, 'name'),
        must: 'be the only one of its name',
        received: scenario.name,
      });
    }
    seen.add(scenario.name);
  }
}

function joined(field: string, name: string): string {
  if (field === '' || name === '') return field + name;
  return `${field}.${name}`;
}
