/**
 * Clients that take the mirror for their HTTP proxy (apt, for one host) name the whole URL (RFC 9112, 3.2.2). Below an
 * upstream it is the path of that origin here; anything else stays, and is refused: the mirror is no open proxy.
 */
interface Standing {
  readonly prefix: string;
  readonly preset: { readonly mount: string };
  /** Without a slash at the end. */
  readonly roots: readonly string[];
}

export function ownTarget(target: string, origins: readonly Standing[]): string {
  if (!/^http:\/\//i.test(target) || !URL.canParse(target)) return target;
  const { origin, pathname, search } = new URL(target);
  for (const { prefix, preset, roots } of origins) {
    const root = roots.find((one) => `${origin}${pathname}`.startsWith(`${one}/`));
    if (root !== undefined) return `${prefix}${preset.mount}${`${origin}${pathname}`.slice(root.length)}${search}`;
  }
  return target;
}
