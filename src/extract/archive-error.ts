import { type Failure, groupDigits, IntegrityError, tagFailure } from '../core/index.ts';

/** Why an archive was not unpacked. */
export type ArchiveTrouble =
  /** Not one of the kinds that are known, or one that needs what is not here (encryption, xz). */
  | 'unsupported'
  /** Its bytes contradict themselves. */
  | 'corrupt'
  /** It ends before it says that it does: so was it made, or its source hid a cut. */
  | 'truncated'
  /** It would write where it must not, or make what must not be made. */
  | 'unsafe'
  /** It is larger, deeper or more than was allowed. */
  | 'limit';

export interface ArchiveErrorParts {
  readonly trouble: ArchiveTrouble;
  readonly what: string;
  /** The entry's name as the archive has it, where one is known. */
  readonly entry?: string | undefined;
  /** Of the archive, as it was downloaded: how far it had been read. */
  readonly atByte?: number | undefined;
  readonly cause?: unknown;
}

/** The archive itself is at fault; downloading it again would bring the same. Nothing of it is left. */
export class ArchiveError extends IntegrityError {
  readonly trouble: ArchiveTrouble;
  readonly entry: string | undefined;
  readonly atByte: number | undefined;

  constructor({ trouble, what, entry, atByte, cause }: ArchiveErrorParts) {
    const message = `${describeTrouble(trouble, entry, atByte)}: ${what}`;
    // The consumer's own verdict: no repeat over the network changes it.
    const failure: Failure = {
      origin: 'consumer',
      phase: 'body',
      kind: 'consumer',
      transient: false,
      mayHaveRun: true,
      what: message,
    };
    super(message, { failure, cause });
    this.trouble = trouble;
    this.entry = entry;
    this.atByte = atByte;
    tagFailure(this, failure);
  }
}

const sentences: Readonly<Record<ArchiveTrouble, string>> = {
  unsupported: 'The archive cannot be unpacked',
  corrupt: 'The archive is corrupt',
  truncated: 'The archive is truncated',
  unsafe: 'The archive is not safe to unpack',
  limit: 'The archive is too much to unpack',
};

function describeTrouble(trouble: ArchiveTrouble, entry: string | undefined, atByte: number | undefined): string {
  const which = entry === undefined ? '' : ` (entry ${showName(entry)})`;
  const where = atByte === undefined ? '' : `, at byte ${groupDigits(atByte)}`;
  return `${sentences[trouble]}${which}${where}`;
}

const MAX_SHOWN_CHARACTERS = 200;

/** A name from an archive, quoted, without what would move a terminal's cursor or turn its text around. */
export function showName(name: string): string {
  const shown = name.length > MAX_SHOWN_CHARACTERS ? `${name.slice(0, MAX_SHOWN_CHARACTERS)}…` : name;
  return JSON.stringify(shown).replace(
    /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
