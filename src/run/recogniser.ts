import type { ExplainRow } from '../diagnose/index.ts';

/**
 * What explain's table cannot know: what an exit code alone says, and which last words of a tool mean that the network was
 * not why it ended. Joined to core's failures as the rows of `explain` are, and judged by the same function.
 */
export interface Recogniser extends Pick<ExplainRow, 'id' | 'join' | 'phase' | 'means'> {
  readonly tool: ToolName;
  readonly what: string;
  readonly says: /** The code alone; asked last, where the output tells nothing. */
    | { readonly kind: 'exit'; readonly codes: readonly number[] }
    /**
     * One of these, in the last output; ` … ` stands for anything between, `^` for the beginning of a line. It counts where
     * no reason that `explain` knows comes after it.
     */
    | { readonly kind: 'text'; readonly texts: readonly string[] }
    /** As `text`, where `explain` knows no reason at all. */
    | { readonly kind: 'summary'; readonly texts: readonly string[] };
  readonly sample: { readonly exitCode: number; readonly output: string };
}

export type ToolName =
  | 'any'
  | 'apt'
  | 'cargo'
  | 'curl'
  | 'docker'
  | 'git'
  | 'go'
  | 'gradle'
  | 'helm'
  | 'maven'
  | 'node'
  | 'npm'
  | 'pip'
  | 'pnpm'
  | 'python'
  | 'rsync'
  | 'ssh'
  | 'terraform'
  | 'uv'
  | 'wget'
  | 'yarn';

/** It is the command's own trouble, or this machine's. */
export const localJoin = { kind: 'observed', origin: 'local', failureKind: 'local', transient: false } as const;
/** It was refused for what it is. */
export const refusedJoin = {
  kind: 'observed',
  origin: 'caller',
  failureKind: 'invalid-request',
  transient: false,
} as const;

type Joined = Pick<Recogniser, 'join' | 'what'>;

export const local = (what: string): Joined => ({ join: localJoin, what });
export const refused = (what: string): Joined => ({ join: refusedJoin, what });
/** A row of core's failure table. */
export const failureRow = (row: string, what: string): Joined => ({ join: { kind: 'row', row }, what });
