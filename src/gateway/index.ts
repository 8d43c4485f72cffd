export { ClientAnswer } from './client-answer.ts';
export { type GatewayUpstream, type Limits, type PoolSettings, type ResolvedConfig, resolveConfig } from './config.ts';
export { loadConfig, parseConfig } from './config-file.ts';
export {
  type GatewayConfig,
  gatewayJsonSchema,
  type PoolConfig,
  type RouteConfig,
  type UpstreamConfig,
} from './config-schema.ts';
export { createGateway, type Gateway } from './gateway.ts';
export { type Listener, openListener } from './listener.ts';
export { Passage, type PassageOutcome, type PassageSite } from './passage.ts';
export { bodyOf, headersOf, type Refusal, refusalOf, refuse } from './refusal.ts';
export { type BodyTaker, hasBody, Memory, type ReceivedBody, receiveBody } from './request-body.ts';
export { createRoute } from './routes.ts';
export type { PoolSite, Snapshot } from './site.ts';
export { faultOf, parseTarget, type Target } from './target.ts';
