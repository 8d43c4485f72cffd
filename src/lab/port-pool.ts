import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** A server that listens already; who takes it says what its connections are for. */
export interface ListeningPort {
  readonly port: number;
  onConnection: (socket: Socket) => void;
  /** Lets connects be refused from now on, at once. */
  refuse(): void;
  /** Listens again on the same port. */
  listen(): Promise<void>;
  close(): void;
}

/** Opens a listening port; port 0 is any free one. */
export async function openPort(host: string, port = 0): Promise<ListeningPort> {
  const opened: ListeningPort & { server: Server } = {
    port,
    server: await listen(host, port, (socket) => opened.onConnection(socket)),
    onConnection: (socket) => socket.destroy(),
    refuse: () => void opened.server.close(),
    close: () => void opened.server.close(),
    async listen() {
      opened.server = await listen(host, opened.port, (socket) => opened.onConnection(socket));
    },
  };
  return Object.assign(opened, { port: (opened.server.address() as AddressInfo).port });
}

function listen(host: string, port: number, onConnection: (socket: Socket) => void): Promise<Server> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, onConnection);
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, backlog: 1024 }, () => {
      server.off('error', reject);
      server.on('error', () => {});
      resolve(server);
    });
  });
}

/** Ports opened ahead, so that `play` needs no await. */
export class PortPool {
  readonly #host: string;
  readonly #wantedCount: number;
  readonly #spare: ListeningPort[] = [];
  readonly #taken: ListeningPort[] = [];
  #refilling: Promise<void> | undefined;
  #isClosed = false;

  constructor(host: string, wantedCount: number) {
    this.#host = host;
    this.#wantedCount = wantedCount;
  }

  take(): ListeningPort {
    const port = this.#spare.shift();
    if (port === undefined) {
      throw new Error(
        `Cannot play the scenario as it needs a port of its own and the ${this.#wantedCount} spare ones are taken: await something between two plays, or start the lab with more \`sparePorts\``,
      );
    }
    this.#taken.push(port);
    void this.fill();
    return port;
  }

  /** Opens ports until as many as wanted are spare. */
  fill(): Promise<void> {
    this.#refilling ??= this.#open().finally(() => {
      this.#refilling = undefined;
    });
    return this.#refilling;
  }

  close(): void {
    this.#isClosed = true;
    for (const port of [...this.#spare, ...this.#taken]) port.close();
    this.#spare.length = 0;
    this.#taken.length = 0;
  }

  async #open(): Promise<void> {
    while (!this.#isClosed && this.#spare.length < this.#wantedCount) {
      const missing = this.#wantedCount - this.#spare.length;
      const ports = await Promise.all(Array.from({ length: missing }, () => openPort(this.#host)));
      if (this.#isClosed) for (const port of ports) port.close();
      else this.#spare.push(...ports);
    }
  }
}
