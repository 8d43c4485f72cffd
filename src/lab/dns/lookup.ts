import { Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { Lookup, LookupAddress, LookupOptions } from './plan.ts';

/** Long enough for a server in this process, short enough for tests of silence. */
const timeoutMs = 300;

/** A `lookup` that asks this server only. A is asked before AAAA, so that the order of the queries is always the same. */
export function createLookup(server: string): Lookup {
  const resolver = new Resolver({ timeout: timeoutMs, tries: 1 });
  resolver.setServers([server]);
  return (hostname, options, callback) => {
    find(resolver, hostname, options).then(
      (found) => {
        if (options.all === true) callback(null, found);
        else callback(null, found[0]!.address, found[0]!.family);
      },
      (error: NodeJS.ErrnoException) => callback(error, ''),
    );
  };
}

async function find(resolver: Resolver, hostname: string, options: LookupOptions): Promise<LookupAddress[]> {
  const known = isIP(hostname);
  if (known !== 0) return [{ address: hostname, family: known }];
  const found: LookupAddress[] = [];
  let failure: NodeJS.ErrnoException | undefined;
  for (const family of familiesOf(options)) {
    try {
      const addresses = await (family === 4 ? resolver.resolve4(hostname) : resolver.resolve6(hostname));
      found.push(...addresses.map((address) => ({ address, family })));
    } catch (error) {
      failure ??= error as NodeJS.ErrnoException;
      if (!isAbsent(failure)) break;
    }
  }
  if (found.length > 0) return found;
  throw asLookupError(hostname, failure);
}

function familiesOf({ family }: LookupOptions): readonly (4 | 6)[] {
  if (family === 4 || family === 'IPv4') return [4];
  return family === 6 || family === 'IPv6' ? [6] : [4, 6];
}

function isAbsent({ code }: NodeJS.ErrnoException): boolean {
  return code === 'ENOTFOUND' || code === 'ENODATA';
}

/** Says it as getaddrinfo does, which knows two cases: there is no such address, or nobody could tell. */
function asLookupError(hostname: string, failure: NodeJS.ErrnoException | undefined): NodeJS.ErrnoException {
  const code = failure === undefined || isAbsent(failure) ? 'ENOTFOUND' : 'EAI_AGAIN';
  const error = new Error(`getaddrinfo ${code} ${hostname}`, { cause: failure });
  return Object.assign(error, { code, syscall: 'getaddrinfo', hostname });
}
