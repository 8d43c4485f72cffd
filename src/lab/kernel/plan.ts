/** What the kernel does to the packets between clients in the namespace and the server. */
export type KernelFault =
  /** `iptables -j REJECT --reject-with tcp-reset`: new connections are refused, running ones reset. */
  | { readonly kind: 'reset' }
  /** The same from the packet on that takes a connection's answers over so many bytes (`connbytes`). */
  | { readonly kind: 'reset-after'; readonly bytes: number }
  /** ICMP instead of a reset. */
  | {
      readonly kind: 'unreachable';
      readonly by: 'icmp-host-unreachable' | 'icmp-net-unreachable' | 'icmp-admin-prohibited';
    }
  /** Nothing passes, either way, and nobody is told. */
  | { readonly kind: 'drop' }
  /** Nothing passes from there on: the connection is half-open. */
  | { readonly kind: 'drop-after'; readonly bytes: number }
  /** Lost at random, in both directions; the kernel's own dice, without a seed. */
  | { readonly kind: 'loss'; readonly lossRatio: number }
  | { readonly kind: 'link-down' }
  /** Token bucket (`tbf`). */
  | { readonly kind: 'rate'; readonly bytesPerSecond: number }
  | { readonly kind: 'netem'; readonly delayMs?: number; readonly jitterMs?: number; readonly lossRatio?: number };

export type KernelFaultKind = KernelFault['kind'];

/** Whether something can be done here, and why not. */
export type Ability = { readonly kind: 'possible' } | { readonly kind: 'missing'; readonly why: string };

export interface KernelAbilities {
  /** A user and network namespace of our own; without it there is nothing else. */
  readonly namespace: Ability;
  readonly faults: { readonly [K in KernelFaultKind]: Ability };
}

export interface KernelLabOptions {
  /** What clients in the namespace reach at `kernel.host` and `kernel.port`: a lab, or any server on this machine. */
  readonly target: { readonly host: string; readonly port: number };
}

/** How a command in the namespace ended. */
export interface Ran {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** A network namespace with a way out to one server, whose packets can be disturbed. */
export interface KernelLab extends AsyncDisposable {
  readonly kind: 'started';
  /** The address of the target in the namespace. */
  readonly host: string;
  readonly port: number;
  /** The command that enters the namespace: what follows it runs inside. */
  readonly enter: readonly string[];
  /** Runs a command in the namespace to its end; the signal kills it. */
  run(command: readonly string[], options?: { readonly signal?: AbortSignal }): Promise<Ran>;
  /** @throws Error with what the tool said, where the machine cannot do it. */
  apply(fault: KernelFault): Promise<void>;
  /** Takes every fault back. */
  clear(): Promise<void>;
  /** Ends what runs inside; the kernel removes the namespace with it. */
  close(): Promise<void>;
}
