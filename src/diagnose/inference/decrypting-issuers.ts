/** Authorities by which products that decrypt TLS sign the certificates they make; data. Pure. */

const rows: readonly (readonly [issuer: RegExp, product: string])[] = [
  [/zscaler/i, 'Zscaler'],
  [/palo ?alto|globalprotect/i, 'a Palo Alto firewall'],
  [/forti(?:gate|net|guard)/i, 'a FortiGate firewall'],
  [/sophos/i, 'Sophos'],
  [/blue ?coat|symantec .*proxy|proxysg/i, 'a Blue Coat proxy'],
  [/netskope/i, 'Netskope'],
  [/cisco umbrella|ironport/i, 'Cisco Umbrella'],
  [/check ?point/i, 'a Check Point firewall'],
  [/mcafee web gateway|skyhigh/i, 'the Skyhigh web gateway'],
  [/forcepoint|websense/i, 'Forcepoint'],
  [/cloudflare (?:gateway|for teams)/i, 'Cloudflare Gateway'],
  [/kaspersky/i, 'Kaspersky on this machine'],
  [/\beset\b/i, 'ESET on this machine'],
  [/avast|avg web/i, 'Avast on this machine'],
  [/bitdefender/i, 'Bitdefender on this machine'],
  [/adguard/i, 'AdGuard on this machine'],
  [/mitmproxy/i, 'mitmproxy'],
  [/charles proxy/i, 'Charles'],
  [/fiddler|do_not_trust/i, 'Fiddler'],
  [/portswigger|burp/i, 'Burp'],
  [
    /\b(?:ssl|tls|https?) (?:inspection|decryption|interception)|web ?filter|content filter/i,
    'a filter that decrypts TLS',
  ],
];

/** Whose certificate that is, if it is one of a product that decrypts TLS. */
export function decryptingProduct(issuer: string): string | undefined {
  return rows.find(([pattern]) => pattern.test(issuer))?.[1];
}
