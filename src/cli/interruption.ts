/** Ctrl-C and SIGTERM: the work is aborted, keeps its progress, and says how to continue. */
const signalNumbers = { SIGINT: 2, SIGTERM: 15 } as const;
type StopSignal = keyof typeof signalNumbers;

export class Interruption extends Error {
  readonly exitCode: number;

  constructor(signal: StopSignal) {
    super(signal === 'SIGINT' ? 'interrupted' : 'terminated');
    this.exitCode = 128 + signalNumbers[signal];
  }
}

/** The signal that stops everything; the second Ctrl-C does not wait for it. */
export function listenForInterruption(): { readonly signal: AbortSignal; stop(): void } {
  const controller = new AbortController();
  const onSignal = (name: StopSignal) => {
    const interruption = new Interruption(name);
    if (controller.signal.aborted) process.exit(interruption.exitCode);
    controller.abort(interruption);
  };
  const names = Object.keys(signalNumbers) as StopSignal[];
  for (const name of names) process.on(name, onSignal);
  return {
    signal: controller.signal,
    stop: () => {
      for (const name of names) process.off(name, onSignal);
    },
  };
}
