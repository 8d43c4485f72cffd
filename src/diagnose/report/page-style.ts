export const pageStyle = `
:root { color-scheme: light dark; --ink: #1c1e21; --quiet: #666c75; --line: #d9dce1; --paper: #fff; --soft: #f4f5f7; --accent: #2f6fdb;
  --lookup: #9aa1ab; --connect: #4b8be0; --tls: #8e6bd1; --wait: #e0a52f; --body: #3f9d63; --bad: #d03b3b; --idle: #c9ced6; }
@media (prefers-color-scheme: dark) { :root { --ink: #e7e9ec; --quiet: #9aa1ab; --line: #3a3f47; --paper: #17191c; --soft: #1f2226; --accent: #6fa3f5; --idle: #444a53; --bad: #f07b7b; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 64rem; font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
h1 { font-size: 1.7rem; line-height: 1.2; margin: .2rem 0 .5rem; } h1 small { font-size: 1rem; color: var(--quiet); font-weight: 400; }
h2 { font-size: 1.05rem; margin: 2rem 0 .5rem; padding-bottom: .25rem; border-bottom: 1px solid var(--line); }
p { margin: .3rem 0; max-width: 46rem; } ul { padding-left: 1.2rem; margin: .3rem 0; } li { margin: .3rem 0; }
.target { font-family: ui-monospace, monospace; font-size: .85rem; color: var(--quiet); overflow-wrap: anywhere; max-width: none; }
.quiet { color: var(--quiet); font-size: .88em; }
table { border-collapse: collapse; width: 100%; } td, th { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
th { font-weight: 600; white-space: nowrap; } .number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.bars td:first-child { width: 50%; } .bar { width: 40%; } .bar span { display: block; height: .7rem; margin-top: .35rem; background: var(--accent); border-radius: 2px; min-width: 2px; }
.pairs th { width: 6rem; } .pairs td { font-family: ui-monospace, monospace; font-size: .85rem; }
.wide { overflow-x: auto; } .steps { min-width: 46rem; } .steps td:last-child { min-width: 13rem; }
@media (max-width: 46rem) { .steps { min-width: 0; } .steps tr:first-child { display: none; } .steps tr { display: block; padding: .5rem 0; border-bottom: 1px solid var(--line); } .steps td { display: block; border: 0; padding: .1rem 0; text-align: left; } .steps td.number:not(:first-child) { display: inline-block; margin-right: 1rem; color: var(--quiet); } .steps td[data-unit]::after { content: ' ' attr(data-unit); } .bars td:first-child { width: 45%; } }
 pre { overflow-x: auto; background: var(--soft); padding: .7rem; font-size: .8rem; border-radius: 4px; }
.timeline { width: 100%; min-width: 46rem; height: auto; font: 10px ui-monospace, monospace; } .timeline text { fill: var(--ink); } .timeline .axis { fill: var(--quiet); }
.timeline line { stroke: var(--line); } .timeline .idle { stroke: var(--idle); stroke-width: 2; }
.lookup { fill: var(--lookup); background: var(--lookup); } .connect { fill: var(--connect); background: var(--connect); } .tls { fill: var(--tls); background: var(--tls); } .wait { fill: var(--wait); background: var(--wait); } .body { fill: var(--body); background: var(--body); }
.timeline .bad { fill: var(--bad); } .bad { background: var(--bad); } .legend { font-size: .85rem; color: var(--quiet); max-width: none; } .legend span { white-space: nowrap; margin-right: .9rem; } .legend i { display: inline-block; width: .8rem; height: .8rem; margin: 0 .3rem 0 0; vertical-align: -1px; border-radius: 2px; }
`;
