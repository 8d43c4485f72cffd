/** Values of the flags as the command line gave them. */
export interface DiagnoseFlags {
  readonly request?: string;
  readonly header?: readonly string[];
  readonly user?: string;
  readonly data?: string;
  readonly proxy?: string;
  readonly cacert?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly maxRequests?: string;
  readonly maxBytes?: string;
  readonly maxTime?: string;
  readonly allowWrites?: true;
  readonly whole?: true;
  /** `--no-other-clients` */
  readonly otherClients?: boolean;
  readonly resolver?: readonly string[];
  readonly json?: true;
  readonly html?: string;
  readonly quiet?: true;
  readonly verbose?: true;
}
