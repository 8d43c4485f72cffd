/** What helps against a cause, by tool, and what the operator should look for. */
export type AdviceTool = 'reknit' | 'curl' | 'pip' | 'uv' | 'npm' | 'git' | 'requests' | 'nginx' | 'anyone';

/**
 * `{url}`, `{host}`, `{atOnce}`, `{idle}`, `{bytes}`, `{seconds}`, `{upload}`, `{header}`, `{issuer}`, `{proxy}`, `{address}`, `{pause}`
 * stand for what was measured.
 */
export interface CauseAdvice {
  readonly helps: readonly (readonly [tool: AdviceTool, text: string])[];
  /** Questions to the operator of the server, or of who is between. */
  readonly ask: readonly string[];
  /** What to search for in logs. */
  readonly logs: readonly (readonly [program: 'nginx' | 'haproxy' | 'squid', text: string])[];
}
