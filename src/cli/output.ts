/** What happens when the reader of our stdout has gone (`reknit get … -o - | head`): the work stops, and nothing is said. */

export interface OutputGuard {
  readonly signal: AbortSignal;
  readonly isClosed: boolean;
}

export function openOutput(): OutputGuard {
  const controller = new AbortController();
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    controller.abort(error);
  });
  // Nobody hears us on stderr any more, which is no reason to stop a download.
  process.stderr.on('error', () => {});
  return {
    signal: controller.signal,
    get isClosed() {
      return controller.signal.aborted;
    },
  };
}
