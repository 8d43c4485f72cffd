import { readFile } from 'node:fs/promises';
import type { Document, LineCounter } from 'yaml';
import { type Problem, shown } from './check-value.ts';
import { lineOf } from './scenario-file-lines.ts';
import { withNumbers } from './scenario-file-quantities.ts';

/** A mistake in a file of scenarios: `FILE:LINE: FIELD must …: received …`. */
export class ScenarioFileError extends Error {
  override readonly name = 'ScenarioFileError';
}

/** One YAML document as plain data whose quantities are numbers, and a way to say what is wrong where. */
export interface Parsed {
  readonly root: unknown;
  mistake(problem: Problem): ScenarioFileError;
}

/** @throws ScenarioFileError */
export async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new ScenarioFileError(`${path}: cannot be read: ${(error as Error).message}`, { cause: error });
  }
}

/**
 * YAML, or JSON as the part of it that it is; `name` stands in messages.
 * @throws ScenarioFileError for what is neither, and for quantities that are none
 */
export async function parseDocuments(text: string, name: string): Promise<readonly Parsed[]> {
  // Loaded here: who reads no file does not pay for the parser.
  const yaml = await import('yaml');
  const lines = new yaml.LineCounter();
  const documents = yaml.parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, logLevel: 'silent' });
  return ('empty' in documents ? [] : documents).map((document) => {
    const mistake = ({ field, must, received }: Problem) => {
      const line = lineOf(yaml, document, lines, field);
      return new ScenarioFileError(`${name}:${line}: ${field || 'it'} must ${must}: received ${shown(received)}`);
    };
    const problems: Problem[] = [];
    const root = withNumbers(plainOf(document, lines, name), problems);
    if (problems[0] !== undefined) throw mistake(problems[0]);
    return { root, mistake };
  });
}

/** Aliases are resolved here; a bomb of them is refused by the parser's own limit. */
function plainOf(document: Document, lines: LineCounter, name: string): unknown {
  const [broken] = document.errors;
  if (broken !== undefined) {
    const { line } = lines.linePos(broken.pos[0]);
    throw new ScenarioFileError(`${name}:${line}: ${broken.message.split('\n', 1)[0]}`, { cause: broken });
  }
  try {
    return document.toJS();
  } catch (error) {
    throw new ScenarioFileError(`${name}:1: ${(error as Error).message}`, { cause: error });
  }
}
