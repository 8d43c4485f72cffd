import type { CatalogueEntry } from './catalogue-entry.ts';
import { expectWords } from './expect-words.ts';
import { escapeHtml, htmlPage } from './page-shell.ts';
import type { LabView, Listed } from './page-view.ts';
import type { Run } from './run.ts';

const shownRuns = 12;

/** The page at `/`: every scenario, what a right client does, and a command to copy. */
export function listHtml(listed: readonly Listed[], view: LabView): string {
  const families = [...new Set(listed.map(({ entry }) => entry.family))];
  const sections = families.map((family) => {
    const items = listed.filter(({ entry }) => entry.family === family).map((item) => scenarioItem(item, view));
    return `<section id="${escapeHtml(family)}"><h2>${escapeHtml(family)}</h2><ul class="scenarios">${items.join('\n')}</ul></section>`;
  });
  const links = families.map((family) => `<a href="#${escapeHtml(family)}">${escapeHtml(family)}</a>`);
  return htmlPage({
    title: 'The lab of broken connections',
    style,
    script,
    body: [
      '<h1>The lab of broken connections</h1>',
      introduction(listed, view),
      recentRuns(view),
      `<nav><span class="tools" hidden><input type="search" placeholder="Filter ${listed.length} scenarios" aria-label="Filter scenarios">
<select aria-label="Command to copy"><option value="curl">curl</option><option value="wget">wget</option><option value="reknit">reknit get</option><option value="url">URL only</option></select></span>
<span class="families">${links.join(' ')}</span></nav>`,
      ...sections,
    ].join('\n'),
  });
}

function introduction(listed: readonly Listed[], { origin }: LabView): string {
  if (listed.length === 0) return '<p>No scenario may be started from here.</p>';
  const isSecure = listed.some(({ entry }) => isServedSecurely(entry, origin));
  const trust = isSecure
    ? `<p>Where https is served, the certificates are signed by an authority that nobody trusts: fetch it once with <code>curl -ko lab-ca.pem ${escapeHtml(origin)}/ca.pem</code>.</p>`
    : '';
  return `<p>Every scenario below is a server that breaks its connections in one way, byte for byte the same with the same seed. A <b>run</b> begins with its
first request and counts from there; another <code>?run=…</code> begins anew, and reloading this page offers fresh ones. Scenarios that disturb
connections redirect to a port of their own, so that a client must follow (<code>curl -L</code>).</p>${trust}
<p class="soft">To judge a client by all of them: <code>reknit conformance -- curl -fsS -o {file} {url}</code> · this list as <a href="/?as=json">JSON</a></p>`;
}

function recentRuns({ runs }: LabView): string {
  const recent = [...runs.values()].slice(-shownRuns).reverse();
  if (recent.length === 0) return '';
  return `<section class="runs"><h2>Latest runs</h2><ul>${recent.map(runItem).join('\n')}</ul></section>`;
}

function runItem(run: Run): string {
  const { requests, bodyBytesSent } = run.record;
  const id = encodeURIComponent(run.id);
  return `<li><a href="/record?run=${id}">${escapeHtml(run.id)}</a> <span class="soft">${requests.length} ${requests.length === 1 ? 'request' : 'requests'},
${bodyBytesSent.toLocaleString('en')} bytes</span> <a class="soft" href="/record?run=${id}&#38;as=json">JSON</a></li>`;
}

function scenarioItem({ entry, url, recordUrl, unplayable }: Listed, { origin }: LabView): string {
  const { scenario, description, expect, why } = entry;
  const text = [scenario.name, description, why, entry.family].join(' ').toLowerCase();
  const secure = isServedSecurely(entry, origin);
  const commands =
    unplayable === undefined
      ? `<p class="command"><code data-url="${escapeHtml(url)}"${secure ? ' data-tls' : ''}>${escapeHtml(curl(url, secure))}</code></p>
<p class="links"><a href="${escapeHtml(recordUrl)}">record</a> <a href="${escapeHtml(recordUrl)}&#38;as=json">JSON</a></p>`
      : `<p class="soft">${escapeHtml(unplayable)}</p>`;
  return `<li id="s-${escapeHtml(scenario.name)}" data-text="${escapeHtml(text)}"><h3>${escapeHtml(scenario.name)} <small class="${expect}">${expectWords[expect]}</small></h3>
<p>${escapeHtml(description)} <span class="soft">${escapeHtml(why)}</span></p>
${commands}</li>`;
}

function isServedSecurely({ scenario }: CatalogueEntry, origin: string): boolean {
  return scenario.protocol === 'h2' || (origin.startsWith('https:') && scenario.protocol === undefined);
}

function curl(url: string, secure: boolean): string {
  return `curl -fL${secure ? ' --cacert lab-ca.pem' : ''} -o file.bin '${url}'`;
}

const style = `
nav { position: sticky; top: 0; z-index: 1; display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; padding: .6rem 0; background: var(--paper); border-bottom: 1px solid var(--line); }
nav .tools[hidden] { display: none; } nav input { width: 15rem; max-width: 60vw; }
nav select { font: inherit; color: inherit; background: var(--panel); border: 1px solid var(--line); border-radius: 7px; padding: .38rem .5rem; }
.families { display: flex; flex-wrap: wrap; gap: .1rem .8rem; font-size: .92rem; }
section { scroll-margin-top: 4.5rem; } [hidden] { display: none; }
.scenarios { list-style: none; padding: 0; margin: 0; display: grid; gap: .7rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 31rem), 1fr)); }
.scenarios li { background: var(--panel); border: 1px solid var(--line); border-radius: 10px; padding: .7rem .9rem; min-width: 0; display: flex; flex-direction: column; }
h3 { margin: 0; font-size: 1rem; } h3 small { font-weight: 500; font-size: .78rem; margin-left: .35rem; }
small.heals { color: var(--right); } small.fails { color: var(--wrong); } small.either { color: var(--safe); }
.scenarios p { margin: .25rem 0; font-size: .93rem; }
.scenarios .command { display: flex; gap: .4rem; align-items: stretch; margin-top: auto; padding-top: .35rem; }
.command code { flex: 1; min-width: 0; overflow-wrap: anywhere; padding: .4rem .6rem; border-radius: 7px; font-size: .8rem; user-select: all; }
.command button { align-self: start; font-size: .82rem; padding: .2rem .6rem; } .scenarios .links { font-size: .82rem; margin: .1rem 0 0; } .links a { color: var(--soft); margin-right: .6rem; }
.runs ul { list-style: none; padding: 0; margin: 0 0 1rem; columns: 2; font-size: .92rem; }
@media (max-width: 40rem) { .runs ul { columns: 1; } nav { position: static; } }
`;

/** Filter, other commands, and a button that copies; without scripts a click on a command selects it. */
const script = `
const items = [...document.querySelectorAll('.scenarios li')];
const [search, tool] = document.querySelectorAll('nav input, nav select');
const quote = (text) => "'" + text + "'";
const commands = {
  curl: (url, tls) => 'curl -fL ' + (tls ? '--cacert lab-ca.pem ' : '') + '-o file.bin ' + quote(url),
  wget: (url, tls) => 'wget ' + (tls ? '--ca-certificate=lab-ca.pem ' : '') + '-O file.bin ' + quote(url),
  reknit: (url, tls) => 'reknit get ' + (tls ? '--cacert lab-ca.pem ' : '') + '-o file.bin ' + quote(url),
  url: (url) => url,
};
const show = (code) => { code.textContent = commands[tool.value](code.dataset.url, 'tls' in code.dataset); };
search.addEventListener('input', () => {
  const text = search.value.trim().toLowerCase();
  for (const item of items) item.hidden = !item.dataset.text.includes(text);
  for (const section of document.querySelectorAll('section[id]')) section.hidden = !section.querySelector('li:not([hidden])');
});
tool.addEventListener('change', () => document.querySelectorAll('code[data-url]').forEach(show));
for (const code of document.querySelectorAll('code[data-url]')) {
  const button = document.createElement('button');
  button.textContent = 'Copy';
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(code.textContent);
    button.textContent = 'Copied';
    setTimeout(() => { button.textContent = 'Copy'; }, 1200);
  });
  if (navigator.clipboard) code.after(button);
}
document.querySelector('nav .tools').hidden = false;
`;
