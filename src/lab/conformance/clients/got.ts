/** got as its documentation shows a download with retries: every retry makes a new stream and a new file. */
import { createWriteStream, type WriteStream } from 'node:fs';
import { knobs, type Peer, runClient } from './run-client.ts';

await runClient(
  (url, file, [got]) =>
    new Promise((resolve, reject) => {
      let output: WriteStream | undefined;
      const read = (stream: Peer) => {
        output?.destroy();
        output = createWriteStream(file);
        output.once('error', reject).once('finish', resolve);
        stream.once('retry', (_count: number, _error: Error, createRetryStream: () => Peer) =>
          read(createRetryStream()),
        );
        stream.once('error', reject);
        stream.pipe(output);
      };
      read(
        got.stream(url, {
          http2: true,
          retry: { limit: knobs.attempts - 1, backoffLimit: knobs.maxDelayMs },
          timeout: { response: knobs.silenceMs, socket: knobs.silenceMs },
        }),
      );
    }),
);
