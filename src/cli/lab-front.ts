import { ConfigError, show } from '../core/index.ts';
import { type Front, type FrontRule, loadFrontRules, startFront } from '../lab/index.ts';
import type { LabFlags } from './lab-flags.ts';
import { frontNames, namedRules } from './lab-front-faults.ts';

/**
 * `reknit lab --in-front-of`: a TCP proxy whose connections break.
 * @throws ConfigError for flags that do not fit, ScenarioFileError for a wrong file, the system's error for the port
 */
export async function openFront(
  flags: LabFlags,
  { host, port, seed }: { readonly host: string; readonly port: number; readonly seed: number },
): Promise<Front> {
  const odd = [flags.tls && '--tls', flags.scenarios !== undefined && '--scenarios'].find(Boolean);
  if (odd) throw new ConfigError(`Cannot use --in-front-of as what passes is not changed: received ${odd} as well`);
  return startFront({ target: parseTarget(flags.inFrontOf ?? ''), rules: await rulesFrom(flags), host, port, seed });
}

async function rulesFrom({ faults = 'rst' }: LabFlags): Promise<readonly FrontRule[]> {
  const known = namedRules(faults);
  if (known !== undefined) return known;
  if (/[./\\]/.test(faults)) return loadFrontRules(faults);
  throw new ConfigError(
    `Cannot use --faults as it must be one of ${frontNames.join(', ')}, or a file of rules: received ${show(faults)}`,
  );
}

function parseTarget(text: string): { readonly host: string; readonly port: number } {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^\s:/[\]]+)):(\d{1,5})$/i.exec(text);
  const port = Number(match?.[3]);
  const host = match?.[1] ?? match?.[2];
  if (host !== undefined && port >= 1 && port <= 65_535) return { host, port };
  throw new ConfigError(
    `Cannot use --in-front-of as it must be HOST:PORT, for instance 127.0.0.1:8080 or [::1]:8080: received ${show(text)}`,
  );
}
