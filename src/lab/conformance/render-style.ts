/** How the page of scorecards looks. */
export const scorecardStyle = `
body { max-width: 104rem; }
.cards { list-style: none; display: grid; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); gap: .7rem; padding: 0; margin: 1.4rem 0; }
.cards li { background: var(--panel); border: 1px solid var(--line); border-radius: 10px; padding: .7rem .9rem; }
.cards b { margin-right: .5rem; }
.bar { display: flex; gap: 2px; height: .55rem; margin: .5rem 0 .35rem; }
.bar i { border-radius: 2px; min-width: 3px; }
.bar .right { background: var(--right); } .bar .safe { background: var(--safe); opacity: .55; } .bar .wrong { background: var(--wrong); }
.counts { font-size: .9rem; } .counts span { margin-right: .7rem; }
.legend { list-style: none; padding: 0; margin: 0 0 .6rem; font-size: .9rem; color: var(--soft); }
.legend b { display: inline-block; min-width: 4.6rem; } .legend b:not([class]) { color: var(--ink); }
.filter { display: flex; flex-wrap: wrap; gap: .4rem 1rem; align-items: center; } .filter[hidden] { display: none; }
.filter input[type=search] { width: 16rem; max-width: 100%; }
.scroll { overflow: auto; max-height: 86vh; border: 1px solid var(--line); border-radius: 10px; background: var(--panel); }
table { border-collapse: separate; border-spacing: 0; width: 100%; font-size: .86rem; }
th, td { text-align: left; vertical-align: top; padding: .38rem .6rem; border-bottom: 1px solid var(--line); }
thead th { position: sticky; top: 0; z-index: 2; background: var(--panel); white-space: nowrap; }
tbody th[scope=row], thead th:first-child { position: sticky; left: 0; z-index: 1; background: var(--panel); min-width: 13rem; max-width: 19rem; }
thead th:first-child { z-index: 3; }
.family th { background: var(--code-bg); padding: .3rem .6rem; } .family span { position: sticky; left: .6rem; }
tbody th[scope=row] { font-weight: 500; } summary { cursor: pointer; } summary small { color: var(--soft); font-weight: 400; }
details p { font-weight: 400; margin: .3rem 0 0; }
td { white-space: nowrap; background: var(--cell, none); } td b { display: block; font-weight: 600; } td small { color: var(--soft); }
td.right b { color: var(--right); } td.safe { --cell: var(--safe-bg); } td.safe b { color: var(--safe); }
td.wrong { --cell: var(--wrong-bg); } td.wrong b { color: var(--wrong); } td.out { color: var(--soft); }
td.unmet b, span.unmet { text-decoration: underline dotted; text-underline-offset: 3px; }
dt { font-weight: 600; margin-top: 1rem; } dd { margin: .1rem 0 0; }
dd pre { background: var(--code-bg); border-radius: 6px; padding: .5rem .7rem; margin: .4rem 0 0; white-space: pre-wrap; overflow-wrap: anywhere; }
@media (max-width: 40rem) { tbody th[scope=row], thead th:first-child { min-width: 8.5rem; max-width: 9.5rem; } summary small { display: block; } }
@media print { .scroll { overflow: visible; max-height: none; } .filter { display: none; } }
`;

/** The filter; without scripts everything is shown. */
export const scorecardScript = `
const filter = document.querySelector('.filter');
const [search, only] = filter.querySelectorAll('input');
const apply = () => {
  const text = search.value.trim().toLowerCase();
  for (const body of document.querySelectorAll('tbody')) {
    const family = body.querySelector('.family').textContent.toLowerCase();
    let shown = 0;
    for (const row of body.querySelectorAll('tr:not(.family)')) {
      const fits = family.includes(text) || row.querySelector('th').textContent.toLowerCase().includes(text);
      row.hidden = !(fits && (!only.checked || row.querySelector('td.wrong')));
      if (!row.hidden) shown += 1;
    }
    body.hidden = shown === 0;
  }
};
search.addEventListener('input', apply);
only.addEventListener('change', apply);
filter.hidden = false;
`;
