import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';
import { printable } from '../printable.ts';
import type { TlsTrace } from './trace.ts';

/** A chain is as long as it is; one that loops is not followed. */
const MAX_CHAIN = 8;

/** What the handshake showed of the other side. */
export function readPeer(socket: TLSSocket): TlsTrace {
  const own = socket.getPeerCertificate(true);
  const chain: string[] = [];
  let link: DetailedPeerCertificate | undefined = own;
  while (link?.subject !== undefined && chain.length < MAX_CHAIN) {
    chain.push(nameOf(link.subject));
    link = link.issuerCertificate === link ? undefined : link.issuerCertificate;
  }
  const version = socket.getProtocol();
  const reason = socket.authorizationError as unknown as (Error & { code?: string }) | null | undefined;
  return {
    chain,
    ...(version === null ? {} : { version }),
    ...(typeof socket.alpnProtocol === 'string' ? { alpn: socket.alpnProtocol } : {}),
    ...(own.subject === undefined ? {} : { subject: nameOf(own.subject) }),
    ...(own.issuer === undefined ? {} : { issuer: nameOf(own.issuer) }),
    ...(own.valid_from === undefined ? {} : { validFrom: own.valid_from, validTo: own.valid_to }),
    ...(socket.authorized || reason == null ? {} : { distrust: reason.code ?? String(reason) }),
  };
}

function nameOf(name: object): string {
  const { O: organisation, CN: common } = name as { O?: string | string[]; CN?: string | string[] };
  const texts = [common, organisation].filter((text) => text !== undefined).map(String);
  return texts.length === 0 ? '(no name)' : printable(texts.join(', '));
}
