/** What a terminal shows of a batch: a bar per running file and one for the whole, each on one line. Pure. */
import { formatBytes, formatDuration, groupDigits } from '../core/index.ts';

export interface FileBar {
  readonly name: string;
  readonly bytes: number;
  readonly totalBytes: number | undefined;
  readonly bytesPerSecond: number | undefined;
  readonly attemptNumber: number;
  readonly waiting: { readonly leftMs: number | undefined; readonly why: string } | undefined;
}

export interface WholeBar {
  readonly files: number;
  readonly done: number;
  readonly skipped: number;
  readonly failed: number;
  readonly bytes: number;
  readonly bytesPerSecond: number | undefined;
}

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

export interface Paint {
  readonly bar: (text: string) => string;
  readonly wait: (text: string) => string;
}

export const noPaint: Paint = { bar: (text) => text, wait: (text) => text };
const sgr = (code: number) => (text: string) => `\x1b[${code}m${text}\x1b[39m`;
export const colours: Paint = { bar: sgr(32), wait: sgr(33) };

/** More bars than this nobody reads. */
const MAX_BARS = 12;
const MAX_NAME_COLUMNS = 32;
const BAR_COLUMNS = 20;
/** Narrower than this there is no room for bars beside the figures. */
const MIN_COLUMNS_FOR_BARS = 60;

/** Never longer than the screen is wide and high: what wraps or scrolls cannot be drawn again. */
export function renderBars(
  files: readonly FileBar[],
  whole: WholeBar | undefined,
  size: Size,
  paint: Paint,
): readonly string[] {
  const columns = Math.max(10, size.columns - 1);
  const room = Math.max(1, Math.min(MAX_BARS, size.rows - 3));
  const shown = files.slice(0, room);
  const more = files.length - shown.length;
  const nameColumns = Math.min(
    MAX_NAME_COLUMNS,
    Math.floor(columns / 3),
    Math.max(0, ...shown.map(({ name }) => widthOf(name))),
  );
  return [
    ...shown.map((file) => renderFile(file, nameColumns, columns, paint)),
    ...(more > 0 ? [fitTo(`… and ${more} more`, columns)] : []),
    ...(whole === undefined ? [] : [renderWhole(whole, columns, paint)]),
  ];
}

function renderFile(file: FileBar, nameColumns: number, columns: number, paint: Paint): string {
  const name = padded(fitTo(file.name, nameColumns), nameColumns);
  const { waiting, bytes, totalBytes, attemptNumber } = file;
  const rest = columns - nameColumns - 2;
  if (waiting !== undefined) {
    const left = waiting.leftMs === undefined ? '' : ` ${formatDuration(waiting.leftMs)}`;
    const attempt = attemptNumber > 1 || waiting.leftMs !== undefined ? `; attempt ${attemptNumber}` : '';
    return `${name}  ${paint.wait(fitTo(`waiting${left}: ${waiting.why}${attempt}`, rest))}`;
  }
  const ratio = totalBytes === undefined || totalBytes === 0 ? undefined : bytes / totalBytes;
  const bar = columns < MIN_COLUMNS_FOR_BARS || ratio === undefined ? '' : `${drawBar(ratio, paint)}  `;
  const barColumns = bar === '' ? 0 : BAR_COLUMNS + 4;
  return `${name}  ${bar}${fitTo(figuresOf(file), Math.max(0, rest - barColumns))}`;
}

function figuresOf({ bytes, totalBytes, bytesPerSecond, attemptNumber }: FileBar): string {
  const parts = [formatBytes(bytes) + (totalBytes === undefined ? '' : ` of ${formatBytes(totalBytes)}`)];
  if (bytesPerSecond !== undefined) {
    parts.push(`${formatBytes(Math.round(bytesPerSecond))}/s`);
    if (totalBytes !== undefined && bytesPerSecond > 0) {
      parts.push(`${formatDuration(((totalBytes - bytes) / bytesPerSecond) * 1_000)} left`);
    }
  }
  if (attemptNumber > 1) parts.push(`attempt ${attemptNumber}`);
  return parts.join('  ');
}

function renderWhole(whole: WholeBar, columns: number, paint: Paint): string {
  const { files, done, skipped, failed } = whole;
  const ended = done + skipped + failed;
  const bar = columns < MIN_COLUMNS_FOR_BARS ? '' : `${drawBar(files === 0 ? 1 : ended / files, paint)}  `;
  return `${bar}${fitTo(describeWhole(whole), columns - (bar === '' ? 0 : BAR_COLUMNS + 4))}`;
}

/** `120 of 500 files, 2 failed, 3 skipped, 48.0 MiB, 9.1 MiB/s` */
export function describeWhole({ files, done, skipped, failed, bytes, bytesPerSecond }: WholeBar): string {
  const parts = [`${groupDigits(done + skipped + failed)} of ${groupDigits(files)} files`];
  if (failed > 0) parts.push(`${groupDigits(failed)} failed`);
  if (skipped > 0) parts.push(`${groupDigits(skipped)} skipped`);
  parts.push(formatBytes(bytes));
  if (bytesPerSecond !== undefined) parts.push(`${formatBytes(Math.round(bytesPerSecond))}/s`);
  return parts.join(', ');
}

function drawBar(ratio: number, paint: Paint): string {
  const filled = Math.max(0, Math.min(BAR_COLUMNS, Math.floor(ratio * BAR_COLUMNS)));
  return `[${paint.bar('#'.repeat(filled))}${'-'.repeat(BAR_COLUMNS - filled)}]`;
}

/** Cut in the middle of nothing: whole characters, and an ellipsis where some are missing. */
export function fitTo(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  let width = 0;
  let kept = '';
  for (const char of text) {
    width += widthOf(char);
    if (width > columns - 1) break;
    kept += char;
  }
  return columns < 1 ? '' : `${kept}…`;
}

function padded(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - widthOf(text)));
}

/** Columns on a terminal: East Asian and emoji take two, marks none. Good enough for file names. */
export function widthOf(text: string): number {
  let width = 0;
  for (const char of text) {
    if (/^[\p{Mn}\p{Me}\p{Cf}]$/u.test(char)) continue;
    width +=
      /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\uFF01-\uFF60]$/u.test(
        char,
      )
        ? 2
        : 1;
  }
  return width;
}
