/** An explanation as a colleague would give it; the last line is the one thing to try next. Pure. */
import { groupDigits } from '../../core/index.ts';
import type { ExplainedCause, Explanation, Unexplained } from '../explain.ts';
import { labelled } from './labelled.ts';

const LABEL_WIDTH = 10;
const MAX_OTHERS = 5;
const MAX_CONSEQUENCES = 4;

export function describeExplanation(explanation: Explanation): readonly string[] {
  return explanation.kind === 'unknown' ? describeUnknown(explanation) : describeCauses(explanation.causes);
}

function describeCauses([first, ...others]: readonly ExplainedCause[]): readonly string[] {
  const cause = first!;
  return [
    headline(cause),
    '',
    ...entry('seen', `${seenText(cause)}: ${cause.evidence}`),
    ...entry('means', cause.means),
    ...entry('phase', cause.phaseText),
    ...entry('why', cause.why),
    ...consequences(cause),
    ...others.slice(0, MAX_OTHERS).flatMap((other) => entry('also', `${other.what}, ${seenText(other)}`)),
    ...(others.length > MAX_OTHERS ? entry('', `and ${others.length - MAX_OTHERS} more; --json lists them`) : []),
    ...entry('repeat', cause.repeat.text),
    ...entry('more', cause.more),
    '',
    // Whole on one line, so that it can be copied.
    `${cause.next.kind === 'command' ? 'try next:' : 'set:'} ${cause.next.text}`,
  ];
}

function headline({ what, hosts, count }: ExplainedCause): string {
  const times = count > 1 ? ` · ${groupDigits(count)} times` : '';
  const [host, ...rest] = hosts;
  const where = host === undefined ? '' : ` · ${host}${rest.length === 0 ? '' : ` and ${rest.length} more`}`;
  return `${what.charAt(0).toUpperCase()}${what.slice(1)}${times}${where}`;
}

function seenText({ count, firstLine, lastLine, firstTime, lastTime }: ExplainedCause): string {
  const line = (number: number) => `line ${groupDigits(number)}`;
  const places = firstLine === lastLine ? line(firstLine) : `${line(firstLine)} to ${groupDigits(lastLine)}`;
  const times =
    firstTime === undefined
      ? ''
      : firstTime === lastTime || lastTime === undefined
        ? `, ${firstTime}`
        : `, ${firstTime} to ${lastTime}`;
  return `${count > 1 ? `${groupDigits(count)} times, ` : ''}${places}${times}`;
}

/** What the same trouble made others say: no further trouble. */
function consequences({ consequences: list }: ExplainedCause): readonly string[] {
  const texts = list
    .slice(0, MAX_CONSEQUENCES)
    .map(({ means, count }) => (count > 1 ? `${means} (${groupDigits(count)} times)` : means));
  return texts.flatMap((text, index) => entry(index === 0 ? 'follows' : '', text));
}

function describeUnknown({ lineCount, tools }: Unexplained): readonly string[] {
  const whose = tools.length === 0 ? '' : ` It looks like output of ${tools.join(', ')}.`;
  const read = lineCount === 1 ? 'this line' : `these ${groupDigits(lineCount)} lines`;
  return [
    `Unknown: nothing in ${read} is a text that reknit knows, and it does not guess.${whose}`,
    '',
    ...entry(
      'more',
      'Give it the whole output, both stdout and stderr (`COMMAND 2>&1 | reknit explain`; a file: `reknit explain < FILE`), and run the command with `-v`: the line that names the error is often not the last one.',
    ),
    ...entry('', 'If it is about a connection, the words of the tool are worth a report: then it will be known.'),
    '',
    'try next: reknit diagnose URL',
  ];
}

function entry(label: string, text: string): readonly string[] {
  return labelled(label, text, LABEL_WIDTH);
}
