import { isSecretHeader, redactUrl } from '../core/index.ts';

/** What is quoted of a line at most. */
const MAX_QUOTE_CHARACTERS = 220;
/** What is read to find it: secrets that begin before the quote end inside this. */
const MAX_READ_CHARACTERS = 2_000;

/** Tokens that show by their form: GitHub, GitLab, npm, PyPI, Hugging Face, OpenAI, Slack, AWS, Stripe; JSON web tokens. */
const knownToken =
  /\b(?:gh[pousr]_|github_pat_|glpat-|npm_|pypi-|hf_|sk-|xox[abeoprs]-|AKIA|ASIA|sk_live_|rk_live_|eyJ)[A-Za-z0-9_.-]{8,}/g;
const scheme = /\b(Bearer|Basic|Digest|Negotiate|NTLM|Token|ApiKey)(\s+|%20)[A-Za-z0-9._~+/=-]{6,}/gi;
/** `name: value` and `name=value`, in headers, options, JSON and variables; of a header, the rest of its line. */
const namedValue =
  /(["']?)([A-Za-z][A-Za-z0-9_.-]{1,60})\1(\s{0,3}[:=]\s{0,3})("[^"]{1,500}"|'[^']{1,500}'|[^\s"',;&]{1,500})/g;
const headerLine = /\b((?:Proxy-)?Authorization|Cookie|Set-Cookie)(["']?\s{0,3}[:=]\s{0,3}).{1,2000}/gi;
const userOption = /(\s(?:-u|--user|--proxy-user|-U|--password|--token|--auth|--api-key)[ =])\S{1,500}/g;

/** A line as it may be shown: bounded, without credentials. */
export function redactLine(line: string): string {
  const hidden = hideSecrets(line.trim().slice(0, MAX_READ_CHARACTERS));
  return hidden.length > MAX_QUOTE_CHARACTERS ? `${hidden.slice(0, MAX_QUOTE_CHARACTERS - 1)}…` : hidden;
}

export function hideSecrets(text: string): string {
  return redactUrl(text)
    .replace(headerLine, '$1$2***')
    .replace(scheme, '$1$2***')
    .replace(userOption, '$1***')
    .replace(namedValue, (whole, quote: string, name: string, joint: string, value: string) =>
      isSecretName(name) && !/^["']?\*\*\*/.test(value) ? `${quote}${name}${quote}${joint}***` : whole,
    )
    .replace(knownToken, '***');
}

/** `tokens: 512` and `keyboard` are none. */
function isSecretName(name: string): boolean {
  return (
    isSecretHeader(name) ||
    /(?:^|[_.-])(?:pass|passwd|pwd|auth|apikey|api[_-]key|access[_-]?key|private[_-]?key)$/i.test(name)
  );
}
