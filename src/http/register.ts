/**
 * `node --import reknit/register app.js`: every `fetch` of an unmodified program heals. Configured by `REKNIT_…` variables;
 * `REKNIT_LOG=stderr`, or a file, writes one line per failure, wait, heal and give-up.
 */
import { appendFileSync } from 'node:fs';
import { describeEvent, type ReknitEvent } from '../core/index.ts';
import { optionsFromEnvironment } from './environment.ts';
import { install } from './install.ts';

const log = process.env.REKNIT_LOG;

function writeLine(event: ReknitEvent): void {
  const line = describeEvent(event);
  if (line === undefined || log === undefined || log === '') return;
  const text = `reknit ${new Date().toISOString()} ${line}\n`;
  if (log === 'stderr') process.stderr.write(text);
  else appendFileSync(log, text);
}

try {
  install({ ...optionsFromEnvironment(process.env), ...(log ? { onEvent: writeLine } : {}) });
} catch (error) {
  // The program that was started cannot know what to do about our configuration; a person can.
  process.stderr.write(`reknit: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(2);
}
