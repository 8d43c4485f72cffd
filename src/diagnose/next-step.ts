import type { NextStep } from './advice.ts';
import type { Tool } from './explain-row.ts';
import type { SeenCommand } from './line-facts.ts';

/** The one thing to try next. */
export interface Next {
  /** A command for the shell, or a setting and where it belongs. */
  readonly kind: 'command' | 'setting';
  readonly text: string;
}

export interface NextFacts {
  readonly step: NextStep;
  /** Whose output it is: the outermost tool. */
  readonly tool: Tool;
  readonly url: string | undefined;
  /** `http://host:port/`, where the text names both. */
  readonly origin: string | undefined;
  readonly host: string | undefined;
  readonly command: SeenCommand | undefined;
  readonly script: string | undefined;
  /** A repeat may apply something twice. */
  readonly isRisky: boolean;
}

/** How each tool is usually run; `…` is for the reader to fill in. */
const usualCommand: Readonly<Partial<Record<Tool, string>>> = {
  apt: 'apt-get update',
  bun: 'bun install',
  cargo: 'cargo build',
  conda: 'conda install …',
  docker: 'docker pull …',
  git: 'git clone …',
  go: 'go mod download',
  java: './gradlew build',
  npm: 'npm ci',
  pip: 'pip install …',
  pnpm: 'pnpm install',
  uv: 'uv sync',
  yarn: 'yarn install',
};

/** Where each tool is told which authorities it trusts. */
const trustSetting: Readonly<Partial<Record<Tool, string>>> = {
  apt: 'apt-get -o Acquire::https::CAInfo=company-ca.pem update',
  cargo: 'CARGO_HTTP_CAINFO=company-ca.pem cargo build',
  curl: 'curl --cacert company-ca.pem URL',
  docker: 'mkdir -p /etc/docker/certs.d/HOST && cp company-ca.pem /etc/docker/certs.d/HOST/ca.crt',
  fetch: 'NODE_EXTRA_CA_CERTS=company-ca.pem node app.js',
  git: 'git -c http.sslCAInfo=company-ca.pem fetch',
  go: 'SSL_CERT_FILE=company-ca.pem go mod download',
  java: 'keytool -importcert -cacerts -alias company -file company-ca.pem',
  node: 'NODE_EXTRA_CA_CERTS=company-ca.pem node app.js',
  npm: 'NODE_EXTRA_CA_CERTS=company-ca.pem npm ci',
  pip: 'pip install --cert company-ca.pem …',
  pnpm: 'NODE_EXTRA_CA_CERTS=company-ca.pem pnpm install',
  python: 'REQUESTS_CA_BUNDLE=company-ca.pem python script.py',
  rust: 'SSL_CERT_FILE=company-ca.pem',
  uv: 'SSL_CERT_FILE=company-ca.pem uv sync',
  wget: 'wget --ca-certificate=company-ca.pem URL',
  yarn: 'NODE_EXTRA_CA_CERTS=company-ca.pem yarn install',
};

/** What answers for its own log: the trouble is between it and the server behind it. */
const servers: ReadonlySet<Tool> = new Set(['envoy', 'nginx', 'haproxy', 'squid']);

export function nextStep(facts: NextFacts): Next {
  const { step, tool, host } = facts;
  switch (step) {
    case 'repeat':
      return facts.isRisky || servers.has(tool) ? diagnose(facts) : command(repeatCommand(facts));
    case 'diagnose':
      return diagnose(facts);
    case 'trust':
      return trust(facts);
    case 'proxy-login':
      return setting('HTTPS_PROXY=http://USER:PASSWORD@PROXY:PORT (and HTTP_PROXY), in the environment of the command');
    case 'certificate':
      return diagnose(facts);
    case 'space':
      return command('df -h . /tmp');
    case 'files':
      return command('ulimit -n 4096');
    case 'permission':
      return command('ls -ld .');
    case 'lookup':
      return command(host === undefined ? 'cat /etc/resolv.conf' : `getent ahosts ${host}`);
    case 'request':
      return diagnose(facts);
    case 'refetch':
      return command(refetchCommand(facts));
  }
}

const command = (text: string): Next => ({ kind: 'command', text });
const setting = (text: string): Next => ({ kind: 'setting', text });

function diagnose(facts: NextFacts): Next {
  return command(`reknit diagnose ${placeOf(facts) ?? 'URL'}`);
}

/** The best address that the text gives. */
function placeOf({ url, origin, host }: NextFacts): string | undefined {
  return url ?? origin ?? (host === undefined ? undefined : `https://${bracketed(host)}/`);
}

const bracketed = (host: string) => (host.includes(':') && !host.startsWith('[') ? `[${host}]` : host);

/** `reknit get` where a file was downloaded, `register` where `fetch` is the program's own, `run` around all others. */
function repeatCommand(facts: NextFacts): string {
  const { tool, url, command: seen, script } = facts;
  if ((tool === 'curl' || tool === 'wget') && url !== undefined) return `reknit get ${url}`;
  if (seen !== undefined && (seen.tool === tool || usualCommand[tool] === undefined))
    return `reknit run -- ${seen.text}`;
  if (tool === 'curl' || tool === 'wget') return 'reknit get URL';
  if (tool === 'git' && url !== undefined) return `reknit run -- git clone ${url}`;
  const usual = usualCommand[tool];
  if (usual !== undefined) return `reknit run -- ${usual}`;
  if (tool === 'fetch') return 'node --import reknit/register app.js';
  // `node:http` is beyond the reach of `register`.
  if (tool === 'node') return 'reknit run -- node app.js';
  if (tool === 'python') return `reknit run -- python ${script ?? 'script.py'}`;
  if (url !== undefined) return `reknit get ${url}`;
  const place = placeOf(facts);
  return place === undefined ? 'reknit run -- COMMAND' : `reknit diagnose ${place}`;
}

function trust({ tool, host, url }: NextFacts): Next {
  const known = trustSetting[tool];
  if (known === undefined) return command(`reknit get --cacert company-ca.pem ${url ?? 'URL'}`);
  return command(known.replaceAll('HOST', host ?? 'HOST').replace('URL', url ?? 'URL'));
}

function refetchCommand({ tool, url }: NextFacts): string {
  switch (tool) {
    case 'pip':
      return 'pip install --no-cache-dir …';
    case 'npm':
      return 'npm cache verify && npm ci';
    case 'pnpm':
      return 'pnpm store prune && pnpm install';
    case 'apt':
      return 'apt-get -o Acquire::http::No-Cache=true update';
    default:
      return url === undefined ? 'reknit get URL --checksum sha256:…' : `reknit get ${url} --checksum sha256:…`;
  }
}
