/** Rules of a front, from a file; the same manner as scenarios. */
import {
  allOf,
  anyOf,
  type Check,
  integerFrom,
  isObject,
  listOf,
  oneOf,
  type Shape,
  shaped,
  tagged,
  that,
} from './check-value.ts';
import type { FrontFault, FrontRule } from './front/plan.ts';
import { parseDocuments, readText, ScenarioFileError } from './scenario-file-document.ts';

/**
 * Rules for `startFront` from a YAML or JSON file: a list, or `{ rules: [...] }`, with units where a field is in ms or bytes.
 * @throws ScenarioFileError with file, line, field and what is allowed; also where the file cannot be read.
 */
export async function loadFrontRules(path: string): Promise<readonly FrontRule[]> {
  return parseFrontRules(await readText(path), path);
}

/**
 * The same from text; `name` stands in messages.
 * @throws ScenarioFileError
 */
export async function parseFrontRules(text: string, name: string): Promise<readonly FrontRule[]> {
  const [parsed, ...others] = await parseDocuments(text, name);
  if (parsed === undefined || others.length > 0) {
    throw new ScenarioFileError(`${name}:1: it must ${anyForm}: received ${parsed ? 'several documents' : 'nothing'}`);
  }
  const { root, mistake } = parsed;
  const problem = isObject(root) ? shaped({ rules })(root, '') : rules(root, '');
  if (problem !== undefined) throw mistake(problem.field === '' ? { ...problem, must: anyForm } : problem);
  return (isObject(root) ? root.rules : root) as readonly FrontRule[];
}

const anyForm = 'be a list of rules, or { rules: [...] }';

const count = integerFrom(1);
const bytes = integerFrom(0);
const ms = integerFrom(0);
const direction = oneOf('down', 'up');
const ratio = that('be a number from 0 to 1', (value) => typeof value === 'number' && value >= 0 && value <= 1);

const onePlace: Check = (value, field) => {
  const names = ['atByte', 'everyBytes', 'atRandomByte'];
  const given = names.filter((name) => isObject(value) && value[name] !== undefined);
  return given.length <= 1 ? undefined : { field, must: `have one of ${names.join(', ')}`, received: given };
};

const place: Shape = {
  'direction?': direction,
  'atByte?': bytes,
  'everyBytes?': count,
  'atRandomByte?': allOf(shaped({ min: bytes, max: bytes }), (value, field) => {
    const { min, max } = value as { readonly min: number; readonly max: number };
    return min > max ? { field: `${field}.min`, must: 'not be above max', received: min } : undefined;
  }),
};

const faults: { readonly [K in FrontFault['kind']]: Shape } = {
  refuse: { 'by?': oneOf('rst', 'fin'), 'afterMs?': ms },
  cut: { by: oneOf('rst', 'fin'), 'afterDrainMs?': ms, ...place },
  stall: { 'forMs?': ms, ...place },
  trickle: { 'direction?': direction, chunkBytes: count, everyMs: ms, 'fromByte?': bytes },
  rate: { 'direction?': direction, bytesPerSecond: count },
  latency: { 'direction?': direction, delayMs: ms },
};

const fault = allOf(tagged(faults), onePlace);

const rules = listOf(
  shaped({
    on: anyOf(
      "be 'every', a number from 1 on, an array of them, or { from, to }",
      oneOf('every'),
      count,
      listOf(count, 1),
      shaped({ 'from?': count, 'to?': count }),
    ),
    'concurrentAbove?': bytes,
    'shareRatio?': ratio,
    do: (value, field) => (Array.isArray(value) ? listOf(fault, 1)(value, field) : fault(value, field)),
  }),
  1,
);
