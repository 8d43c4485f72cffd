import { homedir } from 'node:os';
import { join } from 'node:path';

/** The one folder that is written beside what the user named: `REKNIT_STATE_DIR`, or the platform's. */
export function defaultStateFolder(env: NodeJS.ProcessEnv = process.env): string {
  const { REKNIT_STATE_DIR: own, XDG_STATE_HOME: xdg, LOCALAPPDATA: windows } = env;
  if (own !== undefined && own !== '') return own;
  if (process.platform === 'win32' && windows !== undefined) return join(windows, 'reknit', 'state');
  return join(xdg !== undefined && xdg !== '' ? xdg : join(homedir(), '.local', 'state'), 'reknit');
}
