/** Which proxy a URL goes through: `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY` and the option `proxy`. */
import { BlockList, isIP, isIPv6 } from 'node:net';
import { ConfigError, redactUrl, show } from '../core/index.ts';
import { authorizationOf } from './target.ts';

export interface ProxySettings {
  /** For `http:` URLs. */
  readonly http?: string | undefined;
  /** For `https:` URLs. */
  readonly https?: string | undefined;
  /** Hosts that are reached directly: names, `.suffix`, addresses, CIDR, each with an optional `:port`; or `*`. */
  readonly noProxy?: string | undefined;
}

/** A proxy URL for everything, settings by scheme, or `false` for none. By default the environment decides. */
export type ProxyOption = string | ProxySettings | false | undefined;

export interface ForwardProxy {
  readonly url: URL;
  /** Ready-made `Proxy-Authorization`. */
  readonly authorization: string | undefined;
}

export type ProxyRules = (target: URL) => ForwardProxy | undefined;

/** @throws ConfigError if a proxy is no http or https URL */
export function createProxyRules(
  option: ProxyOption,
  environment: Readonly<Record<string, string | undefined>>,
): ProxyRules {
  if (option === false) return () => undefined;
  const settings =
    typeof option === 'string' ? { http: option, https: option } : (option ?? fromEnvironment(environment));
  const http = parseProxy(settings.http);
  const https = parseProxy(settings.https);
  if (http === undefined && https === undefined) return () => undefined;
  const isDirect = createDirectTest(settings.noProxy ?? '');
  return (target) => {
    const proxy = target.protocol === 'https:' ? https : http;
    return proxy === undefined || isDirect(target) ? undefined : proxy;
  };
}

function fromEnvironment(environment: Readonly<Record<string, string | undefined>>): ProxySettings {
  const read = (name: string) => environment[name.toLowerCase()] || environment[name] || undefined;
  // In a CGI process HTTP_PROXY can be set by a stranger's `Proxy:` header (httpoxy, CVE-2016-5385).
  const http = environment.REQUEST_METHOD === undefined ? read('HTTP_PROXY') : environment.http_proxy || undefined;
  const all = read('ALL_PROXY');
  const usable = all?.startsWith('socks') === true ? undefined : all;
  return { http: http ?? usable, https: read('HTTPS_PROXY') ?? usable, noProxy: read('NO_PROXY') };
}

function parseProxy(text: string | undefined): ForwardProxy | undefined {
  if (text === undefined || text === '') return undefined;
  const url = URL.canParse(text) && /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? new URL(text) : undefined;
  const guess = url ?? (URL.canParse(`http://${text}`) ? new URL(`http://${text}`) : undefined);
  if (guess === undefined || (guess.protocol !== 'http:' && guess.protocol !== 'https:')) {
    throw new ConfigError(`Cannot use the proxy as it must be an http or https URL: received ${show(redactUrl(text))}`);
  }
  return { url: guess, authorization: authorizationOf(guess) };
}

function createDirectTest(noProxy: string): (target: URL) => boolean {
  const tests = noProxy
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .map(parseEntry);
  return (target) => {
    const host = target.hostname.replace(/^\[|\]$/g, '').toLowerCase();
    const port = target.port === '' ? (target.protocol === 'https:' ? 443 : 80) : Number(target.port);
    return tests.some((test) => test(host, port));
  };
}

type DirectTest = (host: string, port: number) => boolean;

function parseEntry(entry: string): DirectTest {
  if (entry === '*') return () => true;
  const { host, port } = splitPort(entry.toLowerCase());
  const matches = parseHost(host);
  return (target, targetPort) => (port === undefined || port === targetPort) && matches(target);
}

function splitPort(entry: string): { readonly host: string; readonly port: number | undefined } {
  const bracketed = /^\[([^\]]+)\](?::(\d+))?$/.exec(entry);
  if (bracketed !== null) return { host: bracketed[1]!, port: toPort(bracketed[2]) };
  if (isIPv6(entry.split('/', 1)[0]!)) return { host: entry, port: undefined };
  const parts = /^(.+):(\d+)$/.exec(entry);
  return parts === null ? { host: entry, port: undefined } : { host: parts[1]!, port: toPort(parts[2]) };
}

function toPort(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

function parseHost(host: string): (target: string) => boolean {
  const [network, bits] = host.split('/', 2) as [string, string | undefined];
  if (bits !== undefined && isIP(network) !== 0) return parseCidr(network, Number(bits));
  if (isIP(host) !== 0) return parseCidr(host, isIPv6(host) ? 128 : 32);
  const name = host.replace(/^\*?\./, '');
  return (target) => target === name || target.endsWith(`.${name}`);
}

function parseCidr(network: string, bits: number): (target: string) => boolean {
  const family = isIPv6(network) ? 'ipv6' : 'ipv4';
  if (!Number.isInteger(bits) || bits < 0 || bits > (family === 'ipv6' ? 128 : 32)) return () => false;
  const list = new BlockList();
  list.addSubnet(network, bits, family);
  return (target) => isIP(target) !== 0 && list.check(target, isIPv6(target) ? 'ipv6' : 'ipv4');
}
