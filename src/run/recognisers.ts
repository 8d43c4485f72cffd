import type { Recogniser } from './recogniser.ts';
import { commandRecognisers } from './recognisers-commands.ts';
import { languageRecognisers } from './recognisers-languages.ts';
import { packageRecognisers } from './recognisers-packages.ts';

/** Every end that is known beside the texts of `explain`. `docs/run.md` is made from it. */
export const recognisers: readonly Recogniser[] = [
  ...commandRecognisers,
  ...packageRecognisers,
  ...languageRecognisers,
];
