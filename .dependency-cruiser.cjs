/**
 * The one table of the house (ARCHITECTURE.md): which folder may import which.
 * An arrow goes only downward; a folder's only door is its index.ts.
 */
const mayImport = {
  core: [],
  runtime: [],
  lab: [],
  sim: ['core'],
  fetch: ['core', 'runtime'],
  http: ['core', 'runtime'],
  download: ['core', 'runtime', 'http'],
  pool: ['core', 'runtime', 'http'],
  gateway: ['core', 'runtime', 'http', 'pool'],
  mirror: ['core', 'runtime', 'http', 'pool', 'download', 'gateway'],
  diagnose: ['core', 'runtime', 'http'],
  extract: ['core', 'runtime'],
  run: ['core', 'runtime', 'diagnose', 'mirror'],
  cli: ['core', 'runtime', 'http', 'download', 'extract', 'gateway', 'mirror', 'diagnose', 'run', 'lab', 'fetch'],
};

/** What else a folder may reach: Node's own modules and packages. */
const mayUse = {
  core: [],
  sim: [],
  fetch: [],
  runtime: [],
  lab: ['node:', 'yaml'],
  http: ['node:', 'undici'],
  download: ['node:'],
  pool: [],
  gateway: ['node:', 'yaml', 'zod', 'prom-client', 'pino'],
  mirror: ['node:', 'http-cache-semantics', '@types/http-cache-semantics', 'parse5'],
  diagnose: ['node:'],
  extract: ['node:', 'tar-stream', 'yauzl', 'fzstd', '@types/yauzl'],
  run: ['node:'],
  cli: ['node:', 'commander', 'undici'],
};

const folders = Object.keys(mayImport);

module.exports = {
  forbidden: [
    {
      name: 'diagnose-decides-and-reports-without-io',
      severity: 'error',
      from: { path: '^src/diagnose/(inference|report)/', pathNot: '\\.test\\.ts$' },
      to: { dependencyTypes: ['core', 'npm'] },
    },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    ...folders.map((folder) => ({
      name: `${folder}-imports-only-what-the-table-says`,
      severity: 'error',
      from: { path: `^src/${folder}/`, pathNot: '\\.test\\.ts$' },
      to: { path: '^src/', pathNot: `^src/(${[folder, ...mayImport[folder]].join('|')})/` },
    })),
    ...folders.map((folder) => ({
      name: `${folder}-uses-only-what-the-table-says`,
      severity: 'error',
      from: { path: `^src/${folder}/`, pathNot: '\\.test\\.ts$' },
      to: {
        dependencyTypes: ['core', 'npm', 'npm-dev', 'npm-optional', 'npm-peer', 'npm-no-pkg', 'unknown'],
        pathNot: mayUse[folder].includes('node:')
          ? mayUse[folder]
              .filter((name) => name !== 'node:')
              .map((name) => `node_modules/${name}/`)
              .concat('^(node:)?[a-z0-9_/]+$')
          : ['^$'],
      },
    })),
    ...folders.map((folder) => ({
      name: `${folder}-is-entered-by-its-index`,
      severity: 'error',
      from: { path: '^src/', pathNot: `^src/${folder}/` },
      to: { path: `^src/${folder}/`, pathNot: `^src/${folder}/index\\.ts$` },
    })),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { extensions: ['.ts', '.js', '.json'] },
  },
};
