export { resolveConfig } from './config.ts';
export { loadConfig, parseConfig } from './config-file.ts';
export {
  type GatewayConfig,
  gatewayJsonSchema,
  type PoolConfig,
  type RouteConfig,
  type UpstreamConfig,
} from './config-schema.ts';
export { createGateway, type Gateway } from './gateway.ts';
