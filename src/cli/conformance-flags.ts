/** Values of the flags as the command line gave them. */
export interface ConformanceFlags {
  readonly preset?: readonly string[];
  readonly only?: readonly string[];
  readonly except?: readonly string[];
  readonly scenarios?: string;
  readonly seed?: string;
  readonly jobs?: string;
  readonly timeout?: string;
  readonly size?: string;
  readonly html?: string;
  readonly list?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
}
