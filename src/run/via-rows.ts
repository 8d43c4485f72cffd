/** How the tools of each kind of origin are pointed at a mirror, without touching a file of the user: one row each. */
import type { PresetName } from '../mirror/index.ts';
import type { ToolName } from './recogniser.ts';

/** One origin, as its tools find it in the mirror. */
export interface Place {
  /** With a slash at the end where the tool wants one. */
  readonly url: string;
  /** What the mirror is in front of, without a slash at the end. */
  readonly upstreams: readonly string[];
}

/**
 * `address`: one URL; another one that is set already stays, unless the mirror is in front of it.
 * `list`: several, of which the one that the mirror is in front of is replaced.
 * `setting`: no address; what is set already stays.
 */
export interface ViaVariable {
  readonly name: string;
  readonly kind: 'address' | 'list' | 'setting';
  readonly value: (place: Place) => string | undefined;
  readonly why: string;
}

export interface ViaRow {
  readonly name: string;
  readonly preset: PresetName;
  readonly publicUpstream: string | undefined;
  readonly variables: readonly ViaVariable[];
  /** Settings of git, one by one: `GIT_CONFIG_COUNT`, `GIT_CONFIG_KEY_n`, `GIT_CONFIG_VALUE_n`. */
  readonly gitConfig?: (place: Place) => readonly (readonly [key: string, value: string])[];
  /** For a tool that hears no variable: words right behind its name. */
  readonly words?: { readonly tool: ToolName; readonly of: (place: Place) => readonly string[]; readonly why: string };
  /** Words with which a command names its own: variables do not change those. */
  readonly ownWords?: { readonly tools: readonly ToolName[]; readonly pattern: RegExp };
}

const slashless = ({ url }: Place) => url.replace(/\/+$/, '');
const whole = ({ url }: Place) => url;
const address = (name: string, why: string, value: ViaVariable['value'] = whole): ViaVariable => {
  return { name, kind: 'address', value, why };
};

export const viaRows: readonly ViaRow[] = [
  {
    name: 'pypi',
    preset: 'pypi',
    publicUpstream: 'https://pypi.org/simple',
    variables: [
      address(
        'PIP_INDEX_URL',
        'pip; before its configuration files, behind `--index-url`. A loopback address needs no `--trusted-host`',
      ),
      address('UV_DEFAULT_INDEX', 'uv from 0.4.23 on'),
      address('UV_INDEX_URL', 'uv before that'),
      address('PIPENV_PYPI_MIRROR', 'pipenv'),
      address('PDM_PYPI_URL', 'pdm'),
    ],
    ownWords: { tools: ['pip', 'uv'], pattern: /^(?:-i|--index-url|--default-index|--index)(?:=|$)/ },
  },
  {
    name: 'npm',
    preset: 'npm',
    publicUpstream: 'https://registry.npmjs.org',
    variables: [
      address('npm_config_registry', 'npm, pnpm, yarn 1, bun; before `.npmrc`, behind `--registry`'),
      {
        name: 'npm_config_replace_registry_host',
        kind: 'setting',
        // Of one with a path, newer ones take the whole; with its host alone the path would stand twice.
        value: ({ upstreams: [first = ''] }) => (new URL(first).pathname === '/' ? new URL(first).hostname : first),
        why: 'lock files name the registry: npm replaces this host with the mirror (by itself only registry.npmjs.org)',
      },
      address('YARN_NPM_REGISTRY_SERVER', 'yarn from 2 on', slashless),
      {
        name: 'YARN_UNSAFE_HTTP_WHITELIST',
        kind: 'setting',
        value: () => '127.0.0.1',
        why: 'yarn from 2 on takes no plain HTTP, not even from this machine, without it',
      },
    ],
    ownWords: { tools: ['npm', 'pnpm', 'yarn'], pattern: /^--registry(?:=|$)/ },
  },
  {
    name: 'git',
    preset: 'git',
    publicUpstream: undefined,
    variables: [],
    gitConfig: ({ url, upstreams }) =>
      upstreams.flatMap((upstream) => [
        [`url.${url}.insteadOf`, `${upstream}/`],
        // A push keeps its own way, and its login.
        [`url.${upstream}/.pushInsteadOf`, `${upstream}/`],
      ]),
  },
  {
    name: 'cargo',
    preset: 'cargo',
    publicUpstream: 'https://index.crates.io',
    variables: [],
    words: {
      tool: 'cargo',
      of: ({ url }) => [
        ...['--config', 'source.crates-io.replace-with="reknit"'],
        ...['--config', `source.reknit.registry="${url}"`],
      ],
      why: 'cargo reads sources from files and `--config` only',
    },
  },
  {
    name: 'go',
    preset: 'go',
    publicUpstream: 'https://proxy.golang.org',
    variables: [
      {
        name: 'GOPROXY',
        kind: 'list',
        value: (place) => `${slashless(place)},direct`,
        why: 'go; of a list that is set, the element that the mirror is in front of is replaced',
      },
    ],
  },
  {
    name: 'apt',
    preset: 'apt',
    publicUpstream: 'http://deb.debian.org/debian',
    variables: [],
    words: {
      tool: 'apt',
      of: ({ url, upstreams }) =>
        upstreams.flatMap((upstream) => [
          '-o',
          `Acquire::http::Proxy::${new URL(upstream).hostname}=${new URL(url).origin}/`,
        ]),
      why: 'apt knows its sources from files; for this host it takes the mirror as its proxy',
    },
  },
  {
    name: 'huggingface',
    preset: 'huggingface',
    publicUpstream: 'https://huggingface.co',
    variables: [address('HF_ENDPOINT', 'huggingface_hub, transformers, datasets', slashless)],
  },
  {
    name: 'openai',
    preset: 'generic',
    publicUpstream: 'https://api.openai.com/v1',
    variables: [
      address('OPENAI_BASE_URL', 'the `openai` libraries', slashless),
      address('OPENAI_API_BASE', 'the `openai` library for Python before 1.0', slashless),
    ],
  },
  {
    name: 'anthropic',
    preset: 'generic',
    publicUpstream: 'https://api.anthropic.com',
    variables: [address('ANTHROPIC_BASE_URL', 'the `anthropic` libraries', slashless)],
  },
];

/** `--via FILES_URL=https://…`: any origin, whose address in the mirror the command finds in that variable. */
export function viaVariable(name: string): ViaRow {
  return {
    name,
    preset: 'generic',
    publicUpstream: undefined,
    variables: [address(name, 'whatever reads it', slashless)],
  };
}
