/** What a download waits for, and why. */
import { describeFailure, type Failure } from '../core/index.ts';
import type { DownloadEvent, HostWait } from '../download/index.ts';

/** `429 from host, Retry-After 4` */
export function whyWaiting(
  failure: Failure | undefined,
  { url, decision }: DownloadEvent & { readonly type: 'wait' },
): string {
  if (failure === undefined) return 'trouble';
  const { status, pushbackMs } = failure;
  const what = status === undefined ? describeFailure(failure) : `${status} from ${hostIn(url)}`;
  const isAsked = pushbackMs !== undefined && 'because' in decision && decision.because === 'pushback';
  return isAsked ? `${what}, Retry-After ${Math.ceil(pushbackMs / 1_000)}` : what;
}

function hostIn(url: string): string {
  return URL.canParse(url) ? new URL(url).host : 'the server';
}

/** `all 8 connections to host are in use, 5 of them by other processes` */
export function whyQueued(host: string, wait: HostWait): string {
  if (wait.kind === 'pushback') return `${host} asked for a pause`;
  const { limit, byOthers } = wait;
  const whose = byOthers === 0 ? '' : `, ${byOthers} of them by other processes`;
  return limit === 1
    ? `the one connection to ${host} is in use${whose && ' by another process'}`
    : `all ${limit} connections to ${host} are in use${whose}`;
}
