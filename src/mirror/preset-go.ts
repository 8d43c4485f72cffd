/** The protocol of Go module proxies: plain files; what they must be is in the checksum database, which Go asks itself. */
import type { Preset } from './plan.ts';

export const go: Preset = {
  publicUpstream: 'https://proxy.golang.org',
  mount: '',
  toolUrl: (base) => base,
  plan: ({ method, path }) => {
    if (method !== 'GET' || !/\/@(?:v\/|latest$)/.test(path)) return { kind: 'pass' };
    return {
      kind: 'content',
      content: {
        role: 'artifact',
        place: { kind: 'path', path },
        fields: {},
        variant: '',
        digest: undefined,
        rewrite: undefined,
      },
    };
  },
  hints: (url) => [`GOPROXY=${url} go mod download`, `go env -w GOPROXY=${url}`],
};
