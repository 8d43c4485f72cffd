/** What a gateway's configuration may say: the one schema from which checks, messages and the published JSON Schema come. */
import { z } from 'zod';

const duration = z
  .string()
  .regex(/^\d+(\.\d+)?\s*(ms|s|m|min|h|d)$/, 'be a duration such as 500ms, 10s or 5m')
  .describe('A duration such as 500ms, 10s or 5m');

const sizeForm = 'be a size such as 512, 64KiB or 10MB';
const size = z
  .union([z.int().min(0), z.string().regex(/^\d+(\.\d+)?\s*([kKmMgG]?([iI]?[bB])?)$/, sizeForm)], sizeForm)
  .describe('A size such as 512, 64KiB or 10MB');

const count = z.int().min(1);

const reference = z
  .union(
    [z.strictObject({ env: z.string().min(1) }), z.strictObject({ file: z.string().min(1) })],
    'be { env: NAME } or { file: PATH }',
  )
  .describe('A secret by reference: never written into the configuration');

const fieldName = z.string().regex(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/, 'be the name of a header');
const fieldValue = z.string().regex(/^[\t\x20-\x7e\x80-\xff]*$/, 'be the value of a header, on one line');

const httpUrl = z
  .string()
  .refine((text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol), 'be an http or https URL');

const upstreamSchema = z
  .strictObject({
    url: httpUrl.describe('What the path of a request is appended to'),
    name: z.string().min(1).optional().describe('In headers, logs and metrics; unique in its pool. Default: the host'),
    weight: z.number().min(0).max(1e6).optional().describe('Its share among those of its tier. Default: 1'),
    tier: z
      .int()
      .min(0)
      .max(1_000)
      .optional()
      .describe('Higher tiers are asked when all lower ones failed. Default: 0'),
    inputLimit: z.number().gt(0).optional().describe('The most input it takes, in a unit that all share'),
    model: z.string().min(1).optional().describe('Takes the place of the model that the request names'),
    headers: z
      .record(fieldName, z.union([fieldValue, reference]))
      .optional()
      .describe('Sent to this upstream only'),
    credential: z
      .union(
        [
          z.strictObject({ env: z.string().min(1), header: fieldName.optional(), scheme: z.string().optional() }),
          z.strictObject({ file: z.string().min(1), header: fieldName.optional(), scheme: z.string().optional() }),
        ],
        'be { env: NAME } or { file: PATH }, with header and scheme where they are not "authorization" and "Bearer"',
      )
      .optional()
      .describe("Sent to this upstream only, in place of the client's"),
  })
  .describe('One place that a request can go to');

const upstreams = z.array(z.union([httpUrl, upstreamSchema], 'be a URL or an upstream with a url')).min(1);

const poolFields = {
  rounds: z
    .strictObject({
      max: count.optional(),
      maxAttempts: count.optional(),
      baseDelay: duration.optional(),
      maxDelay: duration.optional(),
      maxPushback: duration.optional(),
      unreached: duration
        .optional()
        .describe('Rounds in which no upstream took a connection do not count, for so long. Default: 10s'),
      gate: z.enum(['each', 'all']).optional(),
      within: z
        .enum(['pool', 'tier'])
        .optional()
        .describe('`tier`: a tier has all of its rounds before the next tier is asked. Default: pool'),
    })
    .optional(),
  ejection: z
    .strictObject({
      maxConsecutiveFailures: count.optional(),
      errorRatio: z.number().min(0).max(1).optional(),
      minRequests: count.optional(),
      window: duration.optional(),
      base: duration.optional(),
      max: duration.optional(),
      slowStart: duration.optional(),
    })
    .optional(),
  timeouts: z
    .strictObject({
      connect: duration.optional().describe('Default: 3s'),
      headers: duration.optional().describe('From the request sent to the headers. Default: 30s'),
      firstContent: duration.optional().describe('To the first model output of a stream. Default: 30s'),
      idle: duration.optional().describe('Silence in an answer. Default: 60s'),
      progress: z
        .union([duration, z.literal('none')])
        .optional()
        .describe('Between model outputs. Default: none'),
      deadline: z
        .union([duration, z.literal('none')])
        .optional()
        .describe('The whole request. Default: 10m'),
    })
    .optional(),
  connections: z
    .strictObject({ maxPerUpstream: count.optional(), maxIdle: duration.optional() })
    .optional()
    .describe('Default: 256 to each upstream, kept for 4s'),
  budget: z
    .strictObject({ ratio: z.number().min(0).max(1).optional(), capacity: z.int().min(0).optional() })
    .optional()
    .describe('Retries that requests earn. Default: 0.2 each, at most 100 saved up'),
  stream: z
    .strictObject({
      mode: z.enum(['error', 'atomic']).optional().describe('`atomic` buffers whole answers. Default: error'),
      hold: duration.optional().describe('Headers are held back so long at most. Default: 10s'),
      preambleBytes: size.optional().describe('Default: 256KiB'),
      preambleEvents: count.optional().describe('Default: 64'),
      atomicBytes: size.optional().describe('Of one buffered answer. Default: 16MiB'),
      damagedEvents: z
        .enum(['break', 'pass'])
        .optional()
        .describe(
          'An event that is broken JSON, once the answer has begun: ends it, or goes on as it came. Default: break',
        ),
    })
    .optional(),
  failoverOn: z
    .array(z.int().min(300).max(599))
    .optional()
    .describe('Statuses that another upstream may answer better'),
  maxRequests: count.optional().describe('At once; more are answered 503. Default: 4096'),
  tls: z
    .strictObject({ ca: z.string().min(1) })
    .optional()
    .describe('A file of authorities to trust'),
};

const poolSchema = z.strictObject({ upstreams, ...poolFields });

const text = z.string().min(1);
const routeSchema = z.strictObject({
  host: text.optional().describe('`api.example` or `*.example`'),
  path: z.string().startsWith('/', 'begin with /').optional().describe('A prefix, whole segments of it'),
  methods: z
    .array(z.string().regex(/^[A-Z]+$/, 'be a method in capitals'))
    .min(1)
    .optional(),
  headers: z.record(fieldName, z.string()).optional().describe('Each must have this value; `*` is any'),
  model: z
    .union([text, z.array(text).min(1)])
    .optional()
    .describe('In a JSON body; `*` stands for anything'),
  pool: text.optional().describe('Default: default'),
  stripPrefix: z.string().startsWith('/', 'begin with /').optional(),
  repeatable: z.boolean().optional().describe('Sending such requests twice does no harm, or does'),
  api: z
    .enum(['auto', 'openai', 'anthropic', 'bytes'])
    .optional()
    .describe('How streams are understood. Default: auto, by path and body'),
});

const listenerSchema = z.union(
  [
    z.string().regex(/^\S+:\d{1,5}$/, 'be HOST:PORT'),
    z.strictObject({
      address: z.string().regex(/^\S+:\d{1,5}$/, 'be HOST:PORT'),
      tls: z.strictObject({ cert: text, key: text }).optional(),
    }),
  ],
  'be HOST:PORT, or { address: HOST:PORT, tls: { cert: FILE, key: FILE } }',
);

const limitsSchema = z.strictObject({
  connections: count.optional().describe('Open at once. Default: 10000'),
  requests: count.optional().describe('In progress at once. Default: 10000'),
  headerBytes: size.optional().describe('Default: 32KiB'),
  bodyBytes: size.optional().describe('Of one request. Default: 1GiB'),
  replayBytes: size.optional().describe('Of one request body, kept to be sent again. Default: 16MiB'),
  bufferedBytes: size.optional().describe('Of all kept bodies and answers. Default: 512MiB'),
  headersTimeout: duration.optional().describe('A client sends its headers in this time. Default: 15s'),
  requestTimeout: duration.optional().describe('A client sends its whole request in this time. Default: 5m'),
  keepAlive: duration.optional().describe('An idle connection of a client is kept so long. Default: 65s'),
});

export const configSchema = z
  .strictObject({
    $schema: z.string().optional(),
    listen: z.union([listenerSchema, z.array(listenerSchema).min(1)]).describe('HOST:PORT'),
    admin: z
      .union([z.string().regex(/^\S+:\d{1,5}$/, 'be HOST:PORT or false'), z.literal(false)], 'be HOST:PORT or false')
      .optional()
      .describe('/healthz, /readyz, /metrics and /pools. Default: 127.0.0.1:9464'),
    upstreams: upstreams.optional().describe('Of the pool `default`'),
    pools: z.record(text, poolSchema).optional(),
    routes: z.array(routeSchema).min(1).optional().describe('The first that fits is taken. Default: all to `default`'),
    limits: limitsSchema.optional(),
    drain: z
      .strictObject({ announce: duration.optional(), timeout: duration.optional() })
      .optional()
      .describe('After SIGTERM: not ready for `announce` (0s), then `timeout` (30s) for what runs'),
    log: z
      .strictObject({ to: text.optional(), level: z.enum(['all', 'failures', 'none']).optional() })
      .optional()
      .describe('One line of JSON per request and retry, to `stdout`, `stderr` or a file. Default: stdout, all'),
    ...poolFields,
  })
  .superRefine((config, context) => {
    if (config.upstreams === undefined && config.pools === undefined)
      context.addIssue({ code: 'custom', path: [], message: 'have upstreams or pools' });
    const known = new Set(Object.keys(config.pools ?? {}));
    if (config.upstreams !== undefined) {
      if (known.has('default'))
        context.addIssue({ code: 'custom', path: ['upstreams'], message: 'be absent beside a pool named default' });
      known.add('default');
    }
    const routes = config.routes ?? [{}];
    for (const [index, route] of routes.entries()) {
      const pool = route.pool ?? 'default';
      const path = config.routes === undefined ? ['pools'] : ['routes', index, 'pool'];
      const names = [...known].join(', ');
      if (!known.has(pool)) context.addIssue({ code: 'custom', path, message: `be one of the pools (${names})` });
    }
  });

/** A gateway's configuration, as a file holds it. */
export type GatewayConfig = z.input<typeof configSchema>;
export type PoolConfig = z.input<typeof poolSchema>;
export type RouteConfig = z.input<typeof routeSchema>;
export type UpstreamConfig = z.input<typeof upstreamSchema>;

/** For editors: `# yaml-language-server: $schema=…`. */
export function gatewayJsonSchema(): object {
  return { title: 'reknit gateway', ...z.toJSONSchema(configSchema, { io: 'input' }) };
}
