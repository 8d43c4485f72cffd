/** The commands that make a fault. Pure. */
import type { KernelFault } from './plan.ts';

export type Command = readonly string[];

/** tbf sends nothing whose packets are larger than its burst, and loopback's are 64 KiB until told otherwise. */
const loopbackMtu = 1500;
const burstBytes = 32 * 1024;

export function commandsFor(fault: KernelFault, port: number): readonly Command[] {
  const up = ['-p', 'tcp', '--dport', String(port)];
  const down = ['-p', 'tcp', '--sport', String(port)];
  const add = (...rest: readonly string[]): Command => ['iptables', '-A', 'OUTPUT', ...rest];
  const over = (bytes: number) => [
    ...['-m', 'connbytes', '--connbytes', `${bytes}:`],
    ...['--connbytes-dir', 'reply', '--connbytes-mode', 'bytes'],
  ];
  const reset = ['-j', 'REJECT', '--reject-with', 'tcp-reset'];
  switch (fault.kind) {
    case 'reset':
      return [add(...up, ...reset)];
    case 'reset-after':
      return [add(...up, ...over(fault.bytes), ...reset)];
    case 'unreachable':
      return [add(...up, '-j', 'REJECT', '--reject-with', fault.by)];
    case 'drop':
      return [add(...up, '-j', 'DROP'), add(...down, '-j', 'DROP')];
    case 'drop-after':
      return [add(...up, ...over(fault.bytes), '-j', 'DROP'), add(...down, ...over(fault.bytes), '-j', 'DROP')];
    case 'loss': {
      const dice = ['-m', 'statistic', '--mode', 'random', '--probability', String(fault.lossRatio), '-j', 'DROP'];
      return [add(...up, ...dice), add(...down, ...dice)];
    }
    case 'link-down':
      return [['ip', 'link', 'set', 'lo', 'down']];
    case 'rate':
      return [
        ['ip', 'link', 'set', 'lo', 'mtu', String(loopbackMtu)],
        [
          ...['tc', 'qdisc', 'replace', 'dev', 'lo', 'root', 'tbf', 'rate', `${fault.bytesPerSecond * 8}bit`],
          ...['burst', String(burstBytes), 'latency', '400ms'],
        ],
      ];
    case 'netem':
      return [['tc', 'qdisc', 'replace', 'dev', 'lo', 'root', 'netem', ...netemWords(fault)]];
  }
}

/** What takes every fault back; those that were not there may fail. */
export const clearing: readonly Command[] = [
  ['iptables', '-F', 'OUTPUT'],
  ['tc', 'qdisc', 'del', 'dev', 'lo', 'root'],
  ['ip', 'link', 'set', 'lo', 'mtu', '65536'],
  ['ip', 'link', 'set', 'lo', 'up'],
];

function netemWords({ delayMs, jitterMs, lossRatio }: Extract<KernelFault, { kind: 'netem' }>): readonly string[] {
  const delay = delayMs === undefined && jitterMs === undefined ? [] : ['delay', `${delayMs ?? 0}ms`];
  const jitter = jitterMs === undefined ? [] : [`${jitterMs}ms`];
  return [...delay, ...jitter, ...(lossRatio === undefined ? [] : ['loss', `${lossRatio * 100}%`])];
}
