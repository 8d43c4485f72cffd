/** What a scenario needs of the lab before it can be played. Pure. */
import type { Fault, Scenario } from './scenario.ts';

/** Every fault of the requests, with the field that it stands in. */
export function faultsOf({ requests = [] }: Scenario): readonly (readonly [field: string, fault: Fault])[] {
  return requests.flatMap((rule, index) => {
    const faults = [rule.do].flat() as readonly Fault[];
    return faults.map((fault) => [`requests[${index}].do`, fault] as const);
  });
}

/** Whether bytes go past the server's own TLS. */
export function needsTap(scenario: Scenario): boolean {
  return faultsOf(scenario).some(([, { kind }]) => kind === 'tls-record');
}

/** Whether it sends its clients to the lab's own port. */
export function movesAway(scenario: Scenario): boolean {
  return faultsOf(scenario).some(([, fault]) => fault.kind === 'redirect' && fault.to === 'other-origin');
}

/** Whether it must have a port of its own: what strikes before the first request cannot know whose it would be. */
export function needsPort(scenario: Scenario): boolean {
  const { connections, refuses, overflows, protocol } = scenario;
  const parts = [connections, refuses, overflows, protocol];
  return parts.some((part) => part !== undefined) || needsTap(scenario) || movesAway(scenario);
}
