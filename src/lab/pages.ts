/** The lab's own pages: what it serves where no scenario does. HTML for browsers, plain text for everyone else. */
import type { CatalogueEntry } from './catalogue-entry.ts';
import type { Page } from './exchange.ts';
import { urlOf } from './exchange.ts';
import { listHtml } from './page-list.ts';
import { recordHtml } from './page-record.ts';
import type { LabView, Listed } from './page-view.ts';

export function pageFor(target: string, accept: string, view: LabView): Page {
  const url = urlOf(target);
  const format = url.searchParams.get('as') ?? (/\btext\/html\b/.test(accept) ? 'html' : 'plain');
  if (url.pathname === '/') return listPage(view, format);
  if (url.pathname === '/record') return recordPage(url.searchParams.get('run') ?? '', view, format);
  if (url.pathname === '/ca.pem') return { status: 200, contentType: 'application/x-pem-file', text: view.ca };
  return scenarioPage(url, view);
}

function listPage(view: LabView, format: string): Page {
  const listed = view.entries.map((entry) => listEntry(entry, view));
  if (format === 'html') return html(listHtml(listed, view));
  if (format === 'json') return json(listed.map(({ entry, ...rest }) => ({ ...entry, ...rest })));
  return { status: 200, contentType: 'text/plain', text: listText(listed, view.origin) };
}

function listEntry(entry: CatalogueEntry, { origin, viewCount }: LabView): Listed {
  const { name } = entry.scenario;
  const run = `${name}-${viewCount}`;
  return {
    entry,
    url: `${origin}/s/${name}/file.bin?run=${run}`,
    recordUrl: `${origin}/record?run=${run}`,
    unplayable: whyUnplayable(entry, origin),
  };
}

function whyUnplayable({ needs, scenario }: CatalogueEntry, origin: string): string | undefined {
  if (scenario.proxy !== undefined)
    return 'breaks a proxy of its own: reknit conformance plays it, and lab.play in a test';
  const isPlain = origin.startsWith('http:') && scenario.protocol === undefined;
  return needs === 'tls' && isPlain ? 'needs a lab with TLS (--tls)' : undefined;
}

function listText(listed: readonly Listed[], origin: string): string {
  if (listed.length === 0) return 'no scenario may be started from here\n';
  const families = [...new Set(listed.map(({ entry }) => entry.family))];
  const groups = families.map((family) => {
    const lines = listed
      .filter(({ entry }) => entry.family === family)
      .map(
        ({ entry, url, unplayable }) => `  ${entry.scenario.name}: ${entry.description}\n    ${unplayable ?? url}\n`,
      );
    return `${family}\n${lines.join('')}`;
  });
  return `${groups.join('\n')}
A run begins with its first request and never ends; another ?run=… is another one. Some redirect to a port of their own.
What a client did: ${origin}/record?run=…   This list as JSON: ${origin}/?as=json
`;
}

function recordPage(id: string, { runs }: LabView, format: string): Page {
  const run = runs.get(id);
  if (run === undefined)
    return { status: 404, contentType: 'text/plain', text: 'no such run: one begins with its first request\n' };
  return format === 'html' ? html(recordHtml(run)) : json(run.record);
}

/** Requests below /s/ that no run on this port takes. */
function scenarioPage(url: URL, { origin, entries, runs }: LabView): Page {
  const [, marker, name] = url.pathname.split('/');
  const run = runs.get(url.searchParams.get('run') ?? '');
  if (marker === 's' && run !== undefined && run.scenario.name === name && run.origin !== origin) {
    return {
      status: 307,
      contentType: 'text/plain',
      text: `${run.origin}\n`,
      location: `${run.origin}${url.pathname}${url.search}`,
    };
  }
  return {
    status: 404,
    contentType: 'text/plain',
    text: `${whyNothing(marker, name, run !== undefined, entries)}; ${origin}/ has a list\n`,
  };
}

function whyNothing(
  marker: string | undefined,
  name: string | undefined,
  isTaken: boolean,
  entries: readonly CatalogueEntry[],
): string {
  if (marker !== 's') return 'there is nothing here';
  const entry = entries.find(({ scenario }) => scenario.name === name);
  if (entry === undefined) return 'no scenario of this name may be started here';
  if (isTaken) return 'this run is one of another scenario';
  return 'a run needs a name, ?run=…, or this lab cannot play the scenario';
}

function html(text: string): Page {
  return { status: 200, contentType: 'text/html; charset=utf-8', text };
}

function json(value: unknown): Page {
  return { status: 200, contentType: 'application/json', text: `${JSON.stringify(value)}\n` };
}
