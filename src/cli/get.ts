import { mkdir } from 'node:fs/promises';
import { ConfigError, redactUrl } from '../core/index.ts';
import {
  type ConnectionLimits,
  createHostLimits,
  type DownloadEvent,
  download,
  downloadTo,
  type HostLimits,
  type HostWait,
  LocalError,
} from '../download/index.ts';
import { type Client, createClient } from '../http/index.ts';
import { createReporter } from './create-reporter.ts';
import { exitCodeOf, exitCodes } from './exit-code.ts';
import { firstLimitOf, LOCAL_LIMITS } from './get-batch-limits.ts';
import type { GetFlags } from './get-flags.ts';
import { readList } from './get-list.ts';
import { type GetSettings, type Job, resolveGet } from './get-settings.ts';
import { Interruption, listenForInterruption } from './interruption.ts';
import { keepBuffersFew, keepYoungSpaceSmall } from './lean-engine.ts';
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
    const list = flags.input === undefined ? [] : await readList(flags.input);
    settings = resolveGet(urls, flags, isGiven, list);
    client = createClient(settings.client);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`reknit: ${error.message}\n`);
    return exitCodes.usage;
  }
  const output = openOutput();
  const interruption = listenForInterruption();
  let letBuffersBe = () => {};
  const signal = AbortSignal.any([interruption.signal, output.signal]);
  try {
    if (settings.batch !== undefined) return await (await import('./get-batch.ts')).getBatch(settings, flags, signal);
    keepYoungSpaceSmall();
    letBuffersBe = keepBuffersFew();
    return await new OneFile(settings, client, createReporter(flags, settings.jobs), signal, output).run();
  } finally {
    letBuffersBe();
    interruption.stop();
    await client.destroy();
  }
}

class OneFile {
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
    const [job] = this.#settings.jobs;
    this.#reporter.start(job!);
    const { stateFolder } = this.#settings.transfer;
    const limits = createHostLimits({
      stateFolder,
      firstLimit: firstLimitOf(this.#settings),
      onLocal: (because) =>
        this.#reporter.event({ type: 'note', url: redactUrl(job!.url), text: `${LOCAL_LIMITS} (${because})` }),
    });
    try {
      await this.#download(job!, this.#limits(limits));
      return exitCodes.done;
    } catch (error) {
      // Whoever read our output has gone, and knows it.
      if (this.#output.isClosed) return exitCodes.failed;
      const exit = exitCodeOf(error);
      if (error instanceof Interruption) this.#reporter.interrupted(error, exit);
      else this.#reporter.failed(error, exit);
      return exit;
    } finally {
      this.#reporter.close();
      // Its connections are closed before others may take their place.
      await this.#client.destroy();
      await limits.close();
    }
  }

  #limits(limits: HostLimits): ConnectionLimits {
    return {
      acquire: (host, how) => {
        const onWait = (wait: HostWait) => {
          if (!how.isExtra) this.#reporter.queued(host, wait);
        };
        return limits.acquire(host, { ...how, onWait });
      },
    };
  }

  async #download({ url, target, headers }: Job, limits: ConnectionLimits): Promise<void> {
    const { client: options, checksum, force, folder, extract, transfer } = this.#settings;
    const reporter = this.#reporter;
    const common = {
      ...transfer,
      ...(options.retry === undefined ? {} : { retry: options.retry }),
      ...(options.timeouts === undefined ? {} : { timeouts: options.timeouts }),
      headers,
      checksum,
      client: this.#client,
      limits,
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
