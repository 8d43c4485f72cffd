/** How this machine reaches the network: interfaces, VPNs, proxy variables; for the reader, not for the verdict. */
import { networkInterfaces } from 'node:os';
import { redactUrl } from '../core/index.ts';
import type { ForwardProxy } from '../http/index.ts';
import type { Course } from './experiments/course.ts';
import { hostOf } from './probe/route.ts';

/** Names that VPNs give to their interfaces on Linux, macOS and Windows. */
const vpnName = /^(?:tun|tap|wg|ppp|utun|ipsec|tailscale|zt|nordlynx|proton|vpn)/i;

const proxyVariables = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY'];

export function describeSurroundings({ bench, route }: Course, proxy: ForwardProxy | undefined): readonly string[] {
  const lines: string[] = [];
  const interfaces = networkInterfaces();
  const local = bench.connections.find(
    ({ localAddress }) => localAddress !== undefined && localAddress !== '',
  )?.localAddress;
  const [used] = Object.entries(interfaces).find(([, own]) => own?.some(({ address }) => address === local)) ?? [];
  const target = hostOf(proxy?.url ?? route.url);
  if (local !== undefined) lines.push(`to ${target} by ${used ?? 'an interface without a name'} (${local})`);
  const vpns = Object.keys(interfaces).filter((name) => vpnName.test(name));
  if (vpns.length > 0)
    lines.push(
      `VPN interfaces: ${vpns.join(', ')}${used !== undefined && vpns.includes(used) ? '' : ', not used for this'}`,
    );
  lines.push(
    proxy === undefined
      ? 'no proxy is used'
      : `proxy ${proxy.url.protocol}//${proxy.url.host}${proxy.authorization === undefined ? '' : ' with a login'}`,
  );
  for (const name of proxyVariables) {
    const value = process.env[name.toLowerCase()] ?? process.env[name];
    if (value !== undefined && value !== '') lines.push(`${name} is set: ${hidden(value)}`);
  }
  return lines;
}

/** Without a scheme, a login stands at the beginning. */
function hidden(value: string): string {
  return redactUrl(value).replace(/^[^/@\s]*@/, '***@');
}
