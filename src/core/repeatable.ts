/** Methods that a server must treat alike whether they come once or twice (RFC 9110, 9.2.2; QUERY: RFC 10008 draft). */
const idempotentMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE', 'QUERY']);

export function isIdempotentMethod(method: string): boolean {
  return idempotentMethods.has(method);
}

/**
 * Whether sending again does no harm, by the method, by an idempotency key, or by the caller's word.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-9.2.2
 */
export function isRepeatable(request: {
  readonly method: string;
  readonly declared: boolean | undefined;
  readonly hasIdempotencyKey: boolean;
}): boolean {
  return request.declared ?? (isIdempotentMethod(request.method) || request.hasIdempotencyKey);
}
