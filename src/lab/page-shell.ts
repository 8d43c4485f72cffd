/** What the lab's pages have in common: one file each, nothing loaded from elsewhere, light and dark, readable without scripts. */

export interface PageParts {
  readonly title: string;
  readonly style?: string;
  readonly body: string;
  /** Only for comfort: the page must serve without it. */
  readonly script?: string;
}

export function htmlPage({ title, style = '', body, script }: PageParts): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}</title>
<link rel="icon" href="data:,">
<style>${baseStyle}${style}</style>
</head>
<body>
${body}
${script === undefined ? '' : `<script>${script}</script>`}
</body>
</html>
`;
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

const baseStyle = `
:root {
  --paper: #fbfbf9; --ink: #1c1f23; --soft: #5f6771; --line: #e0e1dc; --panel: #ffffff; --link: #0b5cad;
  --right: #1a7f4b; --right-bg: #e3f4ea; --safe: #8a6100; --safe-bg: #fbf1d5; --wrong: #b42318; --wrong-bg: #fde7e4;
  --code-bg: #f0f1ed;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14171a; --ink: #e6e8ea; --soft: #9aa3ad; --line: #2b3036; --panel: #1b1f23; --link: #7cb7f5;
    --right: #6fd29b; --right-bg: #14311f; --safe: #e5bd62; --safe-bg: #352b10; --wrong: #ff9d92; --wrong-bg: #451a16;
    --code-bg: #22272c;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 2.2rem 1.2rem 4rem; max-width: 74rem; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", "Helvetica Neue", Arial, sans-serif;
}
h1 { margin: 0 0 .4rem; font-size: 1.75rem; line-height: 1.2; letter-spacing: -.01em; }
h2 { margin: 2.2rem 0 .5rem; font-size: 1.1rem; }
p { margin: .4rem 0 .8rem; max-width: 46rem; }
a { color: var(--link); }
code, pre { font: .86em/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
code { background: var(--code-bg); border-radius: 4px; padding: .08em .3em; }
.soft { color: var(--soft); }
.right { color: var(--right); } .safe { color: var(--safe); } .wrong { color: var(--wrong); }
input, button {
  font: inherit; color: inherit; background: var(--panel); border: 1px solid var(--line); border-radius: 7px; padding: .35rem .7rem;
}
button { cursor: pointer; }
button:hover { border-color: var(--soft); }
:focus-visible { outline: 2px solid var(--link); outline-offset: 1px; }
`;
