import { type CatalogueEntry, catalogueBytes, type Expectation, resource } from './catalogue-entry.ts';
import type { ProxyPlan } from './proxy-plan.ts';

function entry(
  name: string,
  proxy: ProxyPlan,
  description: string,
  why: string,
  expect: Expectation = 'heals',
): CatalogueEntry {
  const scenario = { name: `proxy-${name}`, resource, proxy };
  return { family: 'proxy', needs: 'proxy', scenario, description, expect, why };
}

const refusedTwice = (status: number): ProxyPlan => ({
  rules: [{ on: [1, 2], do: { kind: 'status', status, headers: { Connection: 'close' } } }],
});

/** Proxies that refuse, limit, or cut; what is behind them is in order. */
export const proxies: readonly CatalogueEntry[] = [
  entry('clean', {}, 'A proxy that does nothing wrong.', 'A proxy alone is no fault.'),
  entry(
    'tunnels-limited',
    { maxTunnels: 2 },
    "The third tunnel at the same time is answered 403, as by squid's maxconn.",
    'Fewer at a time are let through.',
  ),
  entry(
    'refuses',
    { rules: [{ on: 'every', do: { kind: 'status', status: 403 } }] },
    'Every request to the proxy is answered 403.',
    'A rule of the proxy does not pass.',
    'fails',
  ),
  entry(
    'wants-credentials',
    { credentials: 'somebody:else' },
    'The proxy answers 407 to everybody.',
    'Without the right credentials it stays so.',
    'fails',
  ),
  entry('503x2', refusedTwice(503), 'Two requests to the proxy are answered 503.', 'The proxy could not connect yet.'),
  entry('502x2', refusedTwice(502), 'Two requests to the proxy are answered 502.', 'The proxy could not connect yet.'),
  entry(
    'resets',
    { rules: [{ on: [1, 2], do: { kind: 'cut', by: 'rst', at: 'request' } }] },
    'Two requests to the proxy are answered by a reset.',
    'Nothing has reached the origin.',
  ),
  entry(
    'resets-tunnel',
    { rules: [{ on: [1, 2], do: { kind: 'cut', by: 'rst', at: 'established' } }] },
    'Two tunnels are reset as soon as they are open.',
    'Nothing has reached the origin.',
  ),
  entry(
    'cuts-tunnel',
    { rules: [{ on: { to: 4 }, do: { kind: 'cut', by: 'rst', at: 'tunnel', atByte: catalogueBytes / 16 } }] },
    'Four tunnels are reset after a sixteenth of the file.',
    'Every attempt makes progress that the strong ETag lets the next one keep.',
  ),
  entry(
    'stalls-tunnel',
    { rules: [{ on: 1, do: { kind: 'stall', at: 'tunnel', atByte: catalogueBytes / 16 } }] },
    'The first tunnel goes silent after a sixteenth of the file.',
    'A stall is noticed by a timer.',
  ),
];
