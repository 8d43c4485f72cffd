/**
 * What is open to one origin (or one proxy), requests or none on it. Kept connections count where somebody counts ours: a
 * firewall that allows eight does not ask what they are for.
 */
export interface OpenConnection {
  /** It serves nobody. */
  readonly isIdle: boolean;
  closeConnection(): void;
}

export class OpenConnections {
  readonly #open = new Set<OpenConnection>();

  add(connection: OpenConnection): void {
    this.#open.add(connection);
  }

  delete(connection: OpenConnection): void {
    this.#open.delete(connection);
  }

  /** Closes kept ones that serve nobody, until another one fits below the limit. */
  makeRoom(limit: number): void {
    for (const connection of this.#open) {
      if (this.#open.size < limit) return;
      if (!connection.isIdle) continue;
      this.#open.delete(connection);
      connection.closeConnection();
    }
  }
}
