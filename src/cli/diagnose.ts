import { writeFileSync } from 'node:fs';
import { ConfigError, show } from '../core/index.ts';
import { type Diagnosis, describeDiagnosis, diagnose, renderDiagnosisPage } from '../diagnose/index.ts';
import type { DiagnoseFlags } from './diagnose-flags.ts';
import { createDiagnoseReporter } from './diagnose-reporter.ts';
import { resolveDiagnosis } from './diagnose-settings.ts';
import { exitCodes } from './exit-code.ts';
import { Interruption, listenForInterruption } from './interruption.ts';

/** `reknit diagnose`. @returns the exit code */
export async function diagnoseUrl(url: string, flags: DiagnoseFlags): Promise<number> {
  const interruption = listenForInterruption();
  const reporter = createDiagnoseReporter(flags);
  try {
    if (flags.html === '') throw new ConfigError('Cannot use --html as it must be a path: received ""');
    const diagnosis = await diagnose(url, {
      ...resolveDiagnosis(flags),
      signal: interruption.signal,
      onEvent: reporter.onEvent,
    });
    reporter.stop();
    if (flags.json !== true) process.stdout.write(`${describeDiagnosis(diagnosis).join('\n')}\n`);
    return (
      writePage(flags.html, diagnosis) ?? (diagnosis.verdict.kind === 'settled' ? exitCodes.done : exitCodes.failed)
    );
  } catch (error) {
    reporter.stop();
    if (error instanceof Interruption) {
      process.stderr.write(`reknit: ${error.message}; nothing was left open\n`);
      return error.exitCode;
    }
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`reknit: ${error.message}; see reknit diagnose --help\n`);
    return exitCodes.usage;
  } finally {
    interruption.stop();
  }
}

/** @returns an exit code if that failed */
function writePage(path: string | undefined, diagnosis: Diagnosis): number | undefined {
  if (path === undefined) return undefined;
  try {
    writeFileSync(path, renderDiagnosisPage(diagnosis));
    process.stderr.write(`reknit: wrote ${path}\n`);
    return undefined;
  } catch (error) {
    process.stderr.write(`reknit: Cannot write the page to ${show(path)}: ${(error as Error).message}\n`);
    return exitCodes.local;
  }
}
