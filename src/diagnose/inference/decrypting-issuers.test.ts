import { expect, test } from 'vitest';
import { decryptingProduct } from './decrypting-issuers.ts';

test('a firewall that decrypts is known by its issuer, a public authority is none', () => {
  expect(decryptingProduct('Zscaler Root CA, Zscaler Inc.')).toBe('Zscaler');
  expect(decryptingProduct('FG100F SSL Inspection')).toBe('a filter that decrypts TLS');
  expect(decryptingProduct('mitmproxy')).toBe('mitmproxy');
  for (const issuer of [
    'R11, Let’s Encrypt',
    'DigiCert Global G2 TLS RSA SHA256 2020 CA1, DigiCert Inc',
    'reknit lab test authority',
  ]) {
    expect(decryptingProduct(issuer)).toBeUndefined();
  }
});
