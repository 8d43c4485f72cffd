import type { Phase } from '../../src/core/index.ts';

/** One text that a tool prints. */
export interface Sample {
  /** The row that must be the cause. */
  readonly row: string;
  /** The phase that must be told; not given where the text does not tell it. */
  readonly phase?: Phase;
  /** Who printed it. */
  readonly by: string;
  /** Where this text is documented, or the source that prints it. */
  readonly documented: string;
  readonly text: string;
}
