import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { secureContextFor } from './certificate.ts';
import type { ConnectionFault, Scenario } from './scenario.ts';
import { faultsOf, needsTap } from './scenario-needs.ts';
import { Tap } from './tap.ts';
import { Wire } from './wire.ts';

/** The TLS side of an accepted connection, or the bare socket where a fault strikes before the handshake. */
export function secureWire(
  raw: Socket,
  ALPNProtocols: string[],
  fault: ConnectionFault | undefined,
  scenario: Scenario | undefined,
): Wire {
  if (isBeforeTls(fault)) return new Wire(raw, raw);
  const secureContext = secureContextFor(fault?.kind === 'certificate' ? fault.which : 'good');
  const options = { isServer: true, secureContext, ALPNProtocols };
  if (scenario === undefined || !needsTap(scenario)) return new Wire(raw, new TLSSocket(raw, options));
  const tap = new Tap(raw);
  // TLS takes any duplex stream, whatever the types say.
  return new Wire(raw, new TLSSocket(tap as unknown as Socket, options), tap);
}

/** @throws TypeError where the scenario speaks of TLS and is played without. */
export function checkSecurity(scenario: Scenario, isSecure: boolean): void {
  if (isSecure) return;
  const index = scenario.connections?.findIndex((rule) => needsTls(rule.do)) ?? -1;
  if (index >= 0) {
    const { kind } = scenario.connections![index]!.do;
    throw new TypeError(
      `Cannot play the scenario "${scenario.name}" as connections[${index}].do.kind must be cut or stall in a lab without TLS: received "${kind}"`,
    );
  }
  const [field] = faultsOf(scenario).find(([, { kind }]) => kind === 'tls-record') ?? [];
  if (field === undefined) return;
  throw new TypeError(
    `Cannot play the scenario "${scenario.name}" as ${field}.kind must not be "tls-record" in a lab without TLS`,
  );
}

function needsTls({ kind }: ConnectionFault): boolean {
  return kind.startsWith('tls-') || kind === 'certificate';
}

/** Whether the fault strikes before a handshake, on the bare socket. */
function isBeforeTls(fault: ConnectionFault | undefined): boolean {
  if (fault === undefined || fault.kind === 'certificate') return false;
  return fault.kind !== 'stall' || fault.forMs === undefined;
}
