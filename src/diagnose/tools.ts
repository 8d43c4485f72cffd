import type { Tool } from './explain-row.ts';

interface ToolMark {
  readonly tool: Tool;
  /** As the patterns of `ExplainRow`. */
  readonly patterns: readonly string[];
}

/** Output that says whose it is and nothing about trouble. Libraries first: the command that uses one wins over it. */
export const toolMarks: readonly ToolMark[] = [
  {
    tool: 'python',
    patterns: [
      '^Traceback (most recent call last)',
      'urllib3.exceptions',
      'requests.exceptions',
      'aiohttp.client_exceptions',
    ],
  },
  {
    tool: 'ruby',
    patterns: ['Net::HTTP', '(EOFError)', 'Gem::RemoteFetcher', 'rubygems.org', 'Net::OpenTimeout', 'Net::ReadTimeout'],
  },
  { tool: 'dotnet', patterns: ['System.Net.*', 'System.IO.IOException', 'Invoke-WebRequest', 'Invoke-RestMethod'] },
  { tool: 'browser', patterns: ['net::ERR_*'] },
  { tool: 'node', patterns: ['(node:internal*', 'at async', 'node_modules', 'node:events'] },
  {
    tool: 'fetch',
    patterns: ['deps/undici', 'TypeError: fetch failed', 'TypeError: terminated', '=UND_ERR_*', 'undici'],
  },
  { tool: 'rust', patterns: ['reqwest::Error', 'hyper::Error', 'hyper_util::client'] },
  { tool: 'curl', patterns: ['curl: (*'] },
  {
    tool: 'java',
    patterns: ['at java.base/', 'at org.apache.maven', 'org.gradle', 'Could not transfer artifact', 'Could not GET'],
  },
  { tool: 'go', patterns: ['^go: ', 'go: downloading', 'proxy.golang.org'] },
  {
    tool: 'cargo',
    patterns: ['Updating crates.io index', 'static.crates.io', 'crates.io/api', 'spurious network error'],
  },
  { tool: 'uv', patterns: ['Failed to fetch: `', 'Failed to download `', 'UV_HTTP_TIMEOUT', '^uv '] },
  {
    tool: 'pip',
    patterns: [
      'pip._vendor',
      'pip/_vendor',
      'pip/_internal',
      '^Collecting ',
      'WARNING: Retrying (Retry(',
      'No matching distribution found for',
    ],
  },
  { tool: 'npm', patterns: ['npm ERR!', 'npm error', 'npm verb'] },
  { tool: 'pnpm', patterns: ['=ERR_PNPM_*', 'pnpm-lock.yaml', 'retries left.'] },
  { tool: 'yarn', patterns: ['yarn install v*', 'registry.yarnpkg.com', 'yarn-error.log'] },
  { tool: 'apt', patterns: ['E: Failed to fetch', 'W: Failed to fetch', '^Err: ', 'Reading package lists'] },
  {
    tool: 'docker',
    patterns: ['Error response from daemon', 'error pulling image', 'registry-1.docker.io', 'docker.io/library'],
  },
  {
    tool: 'git',
    patterns: [
      'Cloning into',
      'RPC failed',
      'fetch-pack:',
      'send-pack:',
      'fatal: unable to access',
      'fatal: repository',
      'index-pack',
      'remote: Enumerating objects',
    ],
  },
  { tool: 'conda', patterns: ['CondaHTTPError', 'conda.anaconda.org', 'repo.anaconda.com'] },
  { tool: 'bun', patterns: ['^bun install', 'downloading tarball', 'downloading package manifest'] },
  { tool: 'wget', patterns: ['^wget: ', 'HTTP request sent, awaiting response'] },
  { tool: 'envoy', patterns: ['disconnect/reset before headers'] },
  {
    tool: 'nginx',
    patterns: ['to upstream, client:', 'from upstream, client:', 'no live upstreams', ', server: … , request: '],
  },
  { tool: 'haproxy', patterns: ['haproxy['] },
  { tool: 'squid', patterns: ['TCP_TUNNEL/*', 'TCP_DENIED/*', 'TCP_MISS/*', 'HIER_DIRECT/', 'HIER_NONE/'] },
];

/** A tool inside another: what a person runs is the outer one. */
const order: readonly Tool[] = toolMarks.map(({ tool }) => tool);

/** The outermost of the tools that left their marks. */
export function outermost(tools: Iterable<Tool>): Tool | undefined {
  let best: Tool | undefined;
  for (const tool of tools) {
    if (order.indexOf(tool) >= (best === undefined ? 0 : order.indexOf(best))) best = tool;
  }
  return best;
}

/** Output of a command that changes something elsewhere. */
export const writingMarks: readonly string[] = [
  'git push',
  'send-pack:',
  'git-receive-pack',
  'npm publish',
  'docker push',
  'twine upload',
  'uv publish',
  'cargo publish',
  'Uploading distributions',
  'mvn deploy',
];

/** Tools that only read, unless a writing mark says otherwise: to run one again does no harm. */
export const readers: ReadonlyMap<Tool, string> = new Map([
  ['apt', 'apt'],
  ['bun', 'bun'],
  ['cargo', 'cargo'],
  ['conda', 'conda'],
  ['docker', 'docker pull'],
  ['git', 'a clone or fetch'],
  ['go', 'go'],
  ['npm', 'npm'],
  ['pip', 'pip'],
  ['pnpm', 'pnpm'],
  ['uv', 'uv'],
  ['wget', 'wget'],
  ['yarn', 'yarn'],
]);
