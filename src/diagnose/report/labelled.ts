/** Text in two columns: a label, and lines of a width that is read well. Pure. */

const WIDTH = 100;

/** @param labelWidth of the column, the space around the label included */
export function labelled(label: string, text: string, labelWidth: number): readonly string[] {
  return wrap(text, WIDTH - labelWidth).map(
    (line, index) => `  ${(index === 0 ? label : '').padEnd(labelWidth - 2)}${line}`,
  );
}

/** Breaks at spaces; a longer word stands alone. */
function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
