import type { FailureKind, Origin, Phase } from '../core/index.ts';

/** Who prints a text: a command, a library inside a program, a server's log, or the system under all of them. */
export type Tool =
  | 'apt'
  | 'browser'
  | 'bun'
  | 'cargo'
  | 'conda'
  | 'curl'
  | 'docker'
  | 'dotnet'
  | 'envoy'
  | 'fetch'
  | 'git'
  | 'go'
  | 'haproxy'
  | 'http'
  | 'java'
  | 'nginx'
  | 'node'
  | 'npm'
  | 'openssl'
  | 'pip'
  | 'pnpm'
  | 'python'
  | 'ruby'
  | 'rust'
  | 'squid'
  | 'system'
  | 'uv'
  | 'wget'
  | 'yarn';

/**
 * How deep a text speaks. Of all that one incident prints, the deepest is the cause and the others follow from it:
 * the kernel and the resolver, then whoever saw the trouble itself, then who only tells where it happened, then summaries.
 */
export type Depth = 'kernel' | 'cause' | 'place' | 'summary';

/** How a row is joined to the failures of `core`, which alone says what may be repeated. */
export type Join =
  /** A row of the failure table, by its id. */
  | { readonly kind: 'row'; readonly row: string }
  /** An errno; with the phase known, the failure table says which of its rows it is. `row` is the one without a phase. */
  | { readonly kind: 'code'; readonly code: string; readonly row: string }
  /** The status that the text shows, or this one. Judged by `statusVerdict`. */
  | { readonly kind: 'status'; readonly status?: number }
  /** Failures that no error object tells and that core's table therefore does not list. */
  | {
      readonly kind: 'observed';
      readonly origin: Origin;
      readonly failureKind: FailureKind;
      readonly transient: boolean;
    }
  /** The text says that something failed, and not why. */
  | { readonly kind: 'none' };

/** One text that tools print when an exchange breaks, and what it means. */
export interface ExplainRow {
  /** Stable, unique, kebab-case. */
  readonly id: string;
  readonly by: Tool;
  readonly depth: Depth;
  /**
   * Any of these, in any case: literal texts at word boundaries. ` … ` stands for anything between, `{status}` for an HTTP
   * status; `=` in front minds the case, `^` and `$` are the ends of the line, a last `*` is any rest of the word. Nothing
   * here can take more than one look at a character, however long a line is.
   */
  readonly patterns: readonly string[];
  /** Only with one of these statuses. */
  readonly statuses?: readonly number[];
  readonly join: Join;
  /** Given where the text itself proves it. */
  readonly phase?: Phase;
  /** A short phrase; without it, core's. */
  readonly what?: string;
  /** What the text says, in a person's words. */
  readonly means: string;
}

export const depthOrder: readonly Depth[] = ['kernel', 'cause', 'place', 'summary'];
