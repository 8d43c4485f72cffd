/** Settings that help against several causes, by tool. */
import type { CauseAdvice } from './cause-advice.ts';

/** Against cuts in bodies. */
export const resume: CauseAdvice['helps'] = [
  ['reknit', 'reknit get {url} (resumes from the byte reached, at every cut)'],
  [
    'curl',
    'curl -fL --retry 20 --retry-all-errors -C - -O {url} (begins anew where ranges are refused; check a digest)',
  ],
  ['pip', 'pip --retries 10 --resume-retries 10 (pip 25.1 and later)'],
  ['uv', 'UV_HTTP_RETRIES=10 UV_CONCURRENT_DOWNLOADS=1'],
  ['npm', 'npm config set fetch-retries 10'],
  ['git', 'git clone --filter=blob:none, or --depth 1 and git fetch --unshallow: smaller pieces'],
  ['requests', 'a loop over stream=True with Range: bytes=N- and If-Range, since urllib3.Retry ends at the headers'],
];

/** Against trouble that passes. */
export const retry: CauseAdvice['helps'] = [
  ['reknit', 'reknit run -- COMMAND, or createClient({ retry: { maxAttempts: 8 } })'],
  ['curl', 'curl --retry 8 --retry-all-errors --retry-connrefused'],
  ['pip', 'pip --retries 10 --timeout 60'],
  ['uv', 'UV_HTTP_RETRIES=10 UV_HTTP_TIMEOUT=60'],
  ['npm', 'npm config set fetch-retries 8 fetch-retry-mintimeout 5000'],
  ['requests', 'HTTPAdapter(max_retries=Retry(8, backoff_factor=1, status_forcelist=[429, 502, 503, 504]))'],
];

/** To trust one more authority. */
export const trust: CauseAdvice['helps'] = [
  ['reknit', '--cacert issuer.pem, or NODE_EXTRA_CA_CERTS=issuer.pem'],
  ['curl', 'curl --cacert issuer.pem'],
  ['pip', 'pip --cert issuer.pem, or PIP_CERT; pip 24.2 and later uses the system’s store by itself'],
  ['uv', 'uv --system-certs (older: --native-tls), or SSL_CERT_FILE=issuer.pem'],
  ['npm', 'npm config set cafile issuer.pem'],
  ['git', 'git config http.sslCAInfo issuer.pem'],
  ['requests', 'verify="issuer.pem", or REQUESTS_CA_BUNDLE'],
];
