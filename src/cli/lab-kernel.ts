import { ConfigError, parseDuration, parseSize, show } from '../core/index.ts';
import { type KernelFault, type KernelLab, kernelAbilities, startKernelLab } from '../lab/index.ts';
import type { LabReport } from './lab-report.ts';

interface Form {
  /** How the value is written; empty where there is none. */
  readonly value: string;
  read(text: string): KernelFault | undefined;
}

const without = (fault: KernelFault): Form => ({ value: '', read: (text) => (text === '' ? fault : undefined) });

const withSize = (value: string, of: (bytes: number) => KernelFault): Form => ({
  value,
  read: (text) => {
    const bytes = parseSize(text);
    return bytes === undefined || bytes < 1 ? undefined : of(bytes);
  },
});

const forms: { readonly [K in KernelFault['kind']]: Form } = {
  reset: without({ kind: 'reset' }),
  'reset-after': withSize('SIZE', (bytes) => ({ kind: 'reset-after', bytes })),
  unreachable: without({ kind: 'unreachable', by: 'icmp-host-unreachable' }),
  drop: without({ kind: 'drop' }),
  'drop-after': withSize('SIZE', (bytes) => ({ kind: 'drop-after', bytes })),
  loss: {
    value: 'RATIO',
    read: (text) => {
      const lossRatio = Number(text || Number.NaN);
      return lossRatio > 0 && lossRatio <= 1 ? { kind: 'loss', lossRatio } : undefined;
    },
  },
  'link-down': without({ kind: 'link-down' }),
  rate: withSize('SIZE', (bytesPerSecond) => ({ kind: 'rate', bytesPerSecond })),
  netem: {
    value: 'DURATION',
    read: (text) => {
      const delayMs = parseDuration(text);
      return delayMs === undefined ? undefined : { kind: 'netem', delayMs };
    },
  },
};

export const kernelForms = Object.entries(forms).map(([kind, { value }]) => (value === '' ? kind : `${kind}=${value}`));

/** `--kernel` without a value disturbs nothing yet. @throws ConfigError */
export function parseKernelFault(text: string | true): KernelFault | undefined {
  if (text === true) return undefined;
  const [kind = '', value = ''] = text.split('=', 2);
  const fault = Object.hasOwn(forms, kind) ? forms[kind as KernelFault['kind']].read(value) : undefined;
  if (fault !== undefined) return fault;
  throw new ConfigError(`Cannot use --kernel as it must be one of ${kernelForms.join(', ')}: received ${show(text)}`);
}

/** A namespace whose packets meet the fault on their way to the target; where the machine forbids it, that is said and nothing else. */
export async function openKernel(
  fault: KernelFault | undefined,
  target: { readonly host: string; readonly port: number },
  report: LabReport,
): Promise<KernelLab | undefined> {
  const { namespace, faults } = await kernelAbilities();
  if (namespace.kind === 'missing') {
    report.warn(`going on without the kernel, as ${namespace.why}`);
    return undefined;
  }
  report.kernelCan(faults);
  const kernel = await startKernelLab({ target });
  if (kernel.kind === 'missing') {
    report.warn(`going on without the kernel, as ${kernel.why}`);
    return undefined;
  }
  const ability = fault && faults[fault.kind];
  if (ability?.kind === 'missing') report.warn(`going on without ${fault?.kind}, as ${ability.why}`);
  else if (fault !== undefined) await kernel.apply(fault);
  report.kernelStarted(kernel, fault);
  return kernel;
}
