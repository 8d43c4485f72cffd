/** Values of the flags as the command line gave them. */
export interface LabFlags {
  readonly port?: string;
  readonly host?: string;
  readonly tls?: boolean;
  readonly seed?: string;
  readonly scenarios?: string;
  readonly inFrontOf?: string;
  readonly faults?: string;
  readonly kernel?: string | true;
  readonly json?: boolean;
  readonly quiet?: boolean;
}
