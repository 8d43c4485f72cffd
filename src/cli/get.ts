import { mkdir } from 'node:fs/promises';
import { ConfigError } from '../core/index.ts';
import { type DownloadEvent, download, downloadTo, LocalError } from '../download/index.ts';
import { type Client, createClient } from '../http/index.ts';
import { createReporter } from './create-reporter.ts';
import { exitCodeOf, exitCodeOfBatch, exitCodes } from './exit-code.ts';
import type { GetFlags } from './get-flags.ts';
import { type GetSettings, type Job, resolveGet } from './get-settings.ts';
import { Interruption, listenForInterruption } from './interruption.ts';
import { type OutputGuard, openOutput } from './output.ts';
import type { Reporter } from './reporter.ts';

/** `reknit get`. @returns the exit code */
export async function get(
  urls: readonly string[],
  flags: GetFlags,
  isGiven: (key: string) => boolean,
): Promise<number> {
  let settings: GetSettings;
  let client: Client;
  try {
    settings = resolveGet(urls, flags, isGiven);
    client = createClient(settings.client);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`reknit: ${error.message}\n`);
    return exitCodes.usage;
  }
  const output = openOutput();
  const interruption = listenForInterruption();
  const reporter = createReporter(flags, settings.jobs);
  try {
    const signal = AbortSignal.any([interruption.signal, output.signal]);
    return await new Batch(settings, client, reporter, signal, output).run();
  } finally {
    reporter.close();
    interruption.stop();
    await client.destroy();
  }
}

class Batch {
  readonly #settings: GetSettings;
  readonly #client: Client;
  readonly #reporter: Reporter;
  readonly #signal: AbortSignal;
  readonly #output: OutputGuard;

  constructor(settings: GetSettings, client: Client, reporter: Reporter, signal: AbortSignal, output: OutputGuard) {
    this.#settings = settings;
    this.#client = client;
    this.#reporter = reporter;
    this.#signal = signal;
    this.#output = output;
  }

  async run(): Promise<number> {
    const { jobs } = this.#settings;
    const codes: number[] = [];
    for (const job of jobs) {
      const code = await this.#runOne(job);
      codes.push(code);
      if (this.#signal.aborted) return code;
    }
    const exit = exitCodeOfBatch(codes);
    if (jobs.length > 1) this.#reporter.summary(codes, exit);
    return exit;
  }

  /** One job's failure is its own. */
  async #runOne(job: Job): Promise<number> {
    this.#reporter.start(job);
    try {
      await this.#download(job);
      return exitCodes.done;
    } catch (error) {
      // Whoever read our output has gone, and knows it.
      if (this.#output.isClosed) return exitCodes.failed;
      const exit = exitCodeOf(error);
      if (error instanceof Interruption) this.#reporter.interrupted(error, exit);
      else this.#reporter.failed(error, exit);
      return exit;
    }
  }

  async #download({ url, target, headers }: Job): Promise<void> {
    const { client: options, checksum, force, folder, extract, transfer } = this.#settings;
    const reporter = this.#reporter;
    const common = {
      ...transfer,
      ...(options.retry === undefined ? {} : { retry: options.retry }),
      ...(options.timeouts === undefined ? {} : { timeouts: options.timeouts }),
      headers,
      checksum,
      client: this.#client,
      signal: this.#signal,
      onEvent: (event: DownloadEvent) => reporter.event(event),
      onProgress: reporter.progress.bind(reporter),
    };
    if (target === undefined) {
      reporter.doneStream(await downloadTo(process.stdout, url, common));
      return;
    }
    if (extract !== undefined) {
      const { downloadAndExtract } = await import('./get-extract.ts');
      reporter.doneExtract(await downloadAndExtract({ url, plan: extract, force, options: common, reporter }));
      return;
    }
    if (folder !== undefined) await createFolder(folder);
    reporter.done(await download(url, { ...common, to: target, force }));
  }
}

async function createFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw new LocalError(
      `Cannot create the folder ${folder}: ${error instanceof Error ? error.message : error}`,
      error,
    );
  }
}
