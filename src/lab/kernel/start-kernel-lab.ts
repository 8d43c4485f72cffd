import { createNamespace, type Namespace } from './namespace.ts';
import type { Ability, KernelAbilities, KernelFault, KernelFaultKind, KernelLab, KernelLabOptions } from './plan.ts';
import { type Command, clearing, commandsFor } from './rules.ts';

/** A mild one of each kind, to see whether the machine can do it. */
const samples: { readonly [K in KernelFaultKind]: KernelFault } = {
  reset: { kind: 'reset' },
  'reset-after': { kind: 'reset-after', bytes: 1 },
  unreachable: { kind: 'unreachable', by: 'icmp-host-unreachable' },
  drop: { kind: 'drop' },
  'drop-after': { kind: 'drop-after', bytes: 1 },
  loss: { kind: 'loss', lossRatio: 0.1 },
  'link-down': { kind: 'link-down' },
  rate: { kind: 'rate', bytesPerSecond: 1_000_000 },
  netem: { kind: 'netem', delayMs: 1 },
};

const nowhere = { host: '127.0.0.1', port: 9 };

/** What this machine lets us do to packets, tried out in a namespace of its own. */
export async function kernelAbilities(): Promise<KernelAbilities> {
  const namespace = await enteredOrWhy(nowhere);
  if (typeof namespace === 'string') {
    const missing: Ability = { kind: 'missing', why: namespace };
    const faults = Object.fromEntries(Object.keys(samples).map((kind) => [kind, missing]));
    return { namespace: missing, faults: faults as KernelAbilities['faults'] };
  }
  const faults: Partial<Record<KernelFaultKind, Ability>> = {};
  try {
    for (const fault of Object.values(samples)) {
      faults[fault.kind] = await tryOut(namespace, fault);
      await clearAll(namespace);
    }
  } finally {
    await namespace.close();
  }
  return { namespace: { kind: 'possible' }, faults: faults as KernelAbilities['faults'] };
}

/**
 * Makes a namespace in which clients reach the target through this kernel's packet filters. Needs Linux, util-linux and
 * iproute2, and iptables or tc for most faults; no root.
 */
export async function startKernelLab({
  target,
}: KernelLabOptions): Promise<KernelLab | Extract<Ability, { kind: 'missing' }>> {
  const namespace = await enteredOrWhy(target);
  if (typeof namespace === 'string') return { kind: 'missing', why: namespace };
  return {
    kind: 'started',
    host: '127.0.0.1',
    port: namespace.port,
    enter: namespace.enter,
    run: (command, { signal } = {}) => namespace.run(command, signal),
    apply: async (fault) => {
      for (const command of commandsFor(fault, namespace.port)) await mustRun(namespace, command);
    },
    clear: () => clearAll(namespace),
    close: () => namespace.close(),
    [Symbol.asyncDispose]: () => namespace.close(),
  };
}

async function enteredOrWhy(target: KernelLabOptions['target']): Promise<Namespace | string> {
  if (process.platform !== 'linux') return `namespaces are Linux's, and this is ${process.platform}`;
  try {
    const namespace = await createNamespace(target);
    const { exitCode, stderr } = await namespace.run(['true']);
    if (exitCode === 0) return namespace;
    await namespace.close();
    return stderr.trim();
  } catch (error) {
    return (error as Error).message;
  }
}

async function tryOut(namespace: Namespace, fault: KernelFault): Promise<Ability> {
  try {
    for (const command of commandsFor(fault, namespace.port)) await mustRun(namespace, command);
    return { kind: 'possible' };
  } catch (error) {
    return { kind: 'missing', why: (error as Error).message };
  }
}

async function mustRun(namespace: Namespace, command: Command): Promise<void> {
  const { exitCode, stderr } = await namespace.run(command);
  if (exitCode !== 0) throw new Error(`${command.join(' ')}: ${stderr.trim() || `exit code ${exitCode}`}`);
}

async function clearAll(namespace: Namespace): Promise<void> {
  for (const command of clearing) await namespace.run(command);
}
