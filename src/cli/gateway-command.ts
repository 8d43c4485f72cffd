import { Command } from 'commander';
import type { GatewayFlags } from './gateway.ts';

const examples = `
A configuration (YAML or JSON):
  listen: 127.0.0.1:8080
  upstreams:
    - https://api.one.example
    - url: https://api.two.example
      tier: 1
      credential: { env: TWO_API_KEY }

Examples:
  reknit gateway --config gateway.yaml
  reknit gateway --config gateway.yaml --check
  reknit gateway --schema > gateway.schema.json    for your editor

/healthz, /readyz, /metrics and /pools are on 127.0.0.1:9464 (admin: HOST:PORT). SIGTERM lets running requests end,
SIGHUP reads the configuration again; a broken one is told of, and the last good one stays.`;

export function createGatewayCommand(onExit: (code: number) => void): Command {
  return new Command('gateway')
    .description('Serve several upstreams behind one address: failover by rules, streams whose end can be believed.')
    .option('--config <FILE>', 'the configuration, YAML or JSON')
    .option('--check', 'only say whether it is right')
    .option('--schema', 'print the JSON Schema of the configuration')
    .option('--watch', 'read the configuration again when its file changes')
    .option('--json', 'one event per line to stderr: where it listens, reloads, the drain')
    .option('--quiet', 'say nothing but errors and the access log')
    .addHelpText('after', examples)
    .action(async (flags: GatewayFlags) => {
      const { gateway } = await import('./gateway.ts');
      onExit(await gateway(flags));
    });
}
