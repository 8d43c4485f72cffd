/** Values of the flags as the command line gave them. */
export interface RunFlags {
  readonly maxAttempts?: string;
  readonly retryDelay?: string;
  readonly maxDelay?: string;
  readonly deadline?: string;
  readonly retryOnExit?: readonly string[];
  readonly retryOnOutput?: readonly string[];
  /** `NAME` or `NAME=URL` */
  readonly via?: readonly string[];
  readonly repeatable?: true;
  /** `--no-stdin` */
  readonly stdin?: boolean;
  readonly json?: true;
  readonly quiet?: true;
  readonly verbose?: true;
}
