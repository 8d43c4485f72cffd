/** Values of the flags as the command line gave them. */
export interface GetFlags {
  readonly output?: string;
  readonly input?: string;
  readonly jobs?: string;
  readonly checksum?: string;
  readonly extract?: string;
  readonly extractMode?: 'stream' | 'file';
  readonly extractMaxSize?: string;
  readonly extractMaxRatio?: string;
  readonly extractMaxEntries?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  readonly force?: boolean;
  readonly header?: readonly string[];
  readonly user?: string;
  readonly netrc?: boolean;
  readonly cacert?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly proxy?: string;
  readonly unixSocket?: string;
  readonly mirror?: readonly string[];
  readonly requireProof?: boolean;
  readonly connections?: string;
  readonly limitRate?: string;
  readonly state?: boolean;
  readonly [flag: string]: unknown;
}
