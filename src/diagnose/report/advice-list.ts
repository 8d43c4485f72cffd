/** What helps against each cause: a cause without advice does not compile. */
import type { CauseId } from '../inference/cause-list.ts';
import { adviceForServers } from './advice-for-servers.ts';
import { adviceForWays } from './advice-for-ways.ts';
import type { CauseAdvice } from './cause-advice.ts';

export const adviceByCause: Readonly<Record<CauseId, CauseAdvice>> = { ...adviceForServers, ...adviceForWays };
