import { createHash } from 'node:crypto';
import { type StopAction, uploadStop } from '../delivery.ts';
import { closeExchange, type Exchange, openExchange, replyTo, replyWith } from '../exchange.ts';
import { isDeliveryFault } from '../faulty-answer.ts';
import type { RequestHead } from '../request-reader.ts';
import { headersFrames } from './frames.ts';
import { encodeFields } from './hpack.ts';
import type { Stream } from './stream.ts';
import type { StreamHost } from './stream-host.ts';
import { act, type StreamContext, writeReply } from './stream-writer.ts';

/** Serves one request; `isRefused` where GOAWAY has said before that it will not be. */
export async function serveStream(
  session: StreamHost,
  stream: Stream,
  head: RequestHead,
  requestOnConnection: number,
  isRefused: boolean,
): Promise<void> {
  const run = session.host.runFor(head.target);
  if (run === undefined) return showPage(session, stream, head);
  const exchange = openExchange(run, head, requestOnConnection, session.lines.join(run));
  try {
    if (isRefused) exchange.record.answered.endedBy = 'goaway';
    else await answer(session, stream, exchange);
  } finally {
    closeExchange(exchange);
  }
}

async function answer(session: StreamHost, stream: Stream, exchange: Exchange): Promise<void> {
  const { run, head, record } = exchange;
  const context: StreamContext = {
    session,
    stream,
    head,
    nowMs: session.host.nowMs(),
    sent: record.answered,
    gate: (name) => run.pass(name).catch(() => {}),
    changed: () => run.signals.changed(),
  };
  if ((await receive(exchange, context)) === 'over') return;
  await writeReply(replyTo(exchange, context.nowMs, session.host.origin), context);
}

/** Reads the request's body, or as much of it as the faults let through. */
async function receive({ head, record, faults }: Exchange, context: StreamContext): Promise<'complete' | 'over'> {
  const { session, stream } = context;
  const stop = uploadStop(faults.filter(isDeliveryFault));
  if (/100-continue/i.test(head.headers.expect ?? '') && stop?.atByte !== 0) {
    await session.send([headersFrames(stream.id, encodeFields([[':status', '100']]), 'goes-on')]);
  }
  const hash = createHash('sha256');
  const take = (bytes: Buffer) => {
    record.bodyBytes += bytes.length;
    hash.update(bytes);
    session.consumed(stream, bytes.length);
  };
  const end = await readBody(stream, take, stop, context);
  record.bodySha256 = hash.digest('hex');
  if (end === 'complete' && stream.hasLeft) {
    record.answered.endedBy = session.cutBy === undefined ? 'client' : 'fin';
    return 'over';
  }
  return end;
}

async function readBody(
  { input }: Stream,
  take: (bytes: Buffer) => void,
  stop: { readonly atByte: number; readonly action: StopAction } | undefined,
  context: StreamContext,
): Promise<'complete' | 'over'> {
  let leftBytes = stop?.atByte ?? Number.POSITIVE_INFINITY;
  for (;;) {
    const bytes = await input.next();
    if (bytes === undefined) return 'complete';
    take(bytes.subarray(0, leftBytes));
    input.unread(bytes.subarray(leftBytes));
    leftBytes -= Math.min(leftBytes, bytes.length);
    if (leftBytes > 0 || stop === undefined) continue;
    if ((await act(stop.action, context)) === 'over') return 'over';
    leftBytes = Number.POSITIVE_INFINITY;
  }
}

async function showPage(session: StreamHost, stream: Stream, head: RequestHead): Promise<void> {
  while ((await stream.input.next()) !== undefined);
  await writeReply(replyWith(session.host.pageFor(head.target, head.headers.accept ?? '')), {
    session,
    stream,
    head,
    nowMs: session.host.nowMs(),
    sent: { headersSent: false, bodyBytesSent: 0, endedBy: 'none', complete: false },
    gate: () => Promise.resolve(),
    changed: () => {},
  });
}
