/** Header fields on their way through: which stop here, which are added, and whose credentials go where. */
import type { RawHeaders } from '../http/index.ts';
import type { GatewayUpstream } from './config.ts';
import { type FieldName, fieldNameOf } from './field-name.ts';

export interface ClientFields {
  /** Name, value, name, value; without what stops here. */
  readonly forwarded: readonly string[];
  /** Their names, at half of the index. */
  readonly names: readonly FieldName[];
}

export interface ClientPlace {
  readonly address: string;
  readonly host: string;
  readonly isSecure: boolean;
}

/**
 * @param raw as the parser brought them: name, value, name, value
 * @param place what upstreams are told of the client's connection; undefined: nothing
 */
export function readClientFields(
  raw: readonly string[],
  connection: string | undefined,
  place: ClientPlace | undefined,
): ClientFields {
  const named = namesIn(connection);
  const forwarded: string[] = [];
  const names: FieldName[] = [];
  let forwardedFor = place?.address ?? '';
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i]!;
    const field = fieldNameOf(name);
    if (field.isOfTheHop || field.isOurs || named?.has(field.lower) === true) continue;
    if (field.isForwarded) {
      if (field.lower === 'x-forwarded-for') forwardedFor = `${raw[i + 1]}, ${forwardedFor}`;
      continue;
    }
    forwarded.push(name, raw[i + 1]!);
    names.push(field);
  }
  if (place === undefined) return { forwarded, names };
  forwarded.push('x-forwarded-for', forwardedFor, 'x-forwarded-proto', place.isSecure ? 'https' : 'http');
  names.push(xForwardedFor, xForwardedProto);
  if (place.host !== '') {
    forwarded.push('x-forwarded-host', place.host);
    names.push(xForwardedHost);
  }
  return { forwarded, names };
}

const xForwardedFor = fieldNameOf('x-forwarded-for');
const xForwardedProto = fieldNameOf('x-forwarded-proto');
const xForwardedHost = fieldNameOf('x-forwarded-host');

/** The fields for one upstream: the client's, with its own in their place. */
export function fieldsFor(
  { forwarded, names }: ClientFields,
  upstream: GatewayUpstream,
  isPlainStream: boolean,
): string[] {
  const fields = ['host', upstream.host];
  const { ownNames, hasCredential } = upstream;
  for (let index = 0; index < names.length; index += 1) {
    const { lower, isCredential } = names[index]!;
    if ((hasCredential && isCredential) || (ownNames.size > 0 && ownNames.has(lower))) continue;
    // A stream that must be read on its way may not be compressed.
    if (isPlainStream && lower === 'accept-encoding') continue;
    fields.push(forwarded[2 * index]!, forwarded[2 * index + 1]!);
  }
  for (const part of upstream.own) fields.push(part);
  if (isPlainStream) fields.push('accept-encoding', 'identity');
  return fields;
}

export interface AnswerFields {
  /** Name, value, name, value. */
  readonly passed: string[];
  readonly contentType: string | undefined;
  readonly isEncoded: boolean;
  /** Neither a length nor chunks: the answer ends with its connection. */
  readonly isUnmarked: boolean;
}

/** What of an answer goes on to the client. */
export function readAnswerFields(raw: RawHeaders): AnswerFields {
  const passed: string[] = [];
  let contentType: string | undefined;
  let isEncoded = false;
  let isUnmarked = true;
  let named: ReadonlySet<string> | undefined;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = text(raw[i]);
    const { lower, isOfTheHop, isOurs } = fieldNameOf(name);
    if (isOfTheHop) {
      if (lower === 'connection') named = new Set([...(named ?? []), ...(namesIn(text(raw[i + 1])) ?? [])]);
      if (lower === 'transfer-encoding' || lower === 'content-length') isUnmarked = false;
      if (lower !== 'content-length') continue;
    }
    if (isOurs) continue;
    const value = text(raw[i + 1]);
    if (lower === 'content-type') contentType = value;
    else if (lower === 'content-encoding') isEncoded = true;
    passed.push(name, value);
  }
  return {
    passed: named === undefined || named.size === 0 ? passed : without(passed, named),
    contentType,
    isEncoded,
    isUnmarked,
  };
}

function text(value: RawHeaders[number] | undefined): string {
  if (Array.isArray(value)) return value.map((one) => text(one)).join(', ');
  return typeof value === 'string' ? value : (value as Buffer).toString('latin1');
}

function namesIn(connection: string | undefined): ReadonlySet<string> | undefined {
  if (connection === undefined || connection === '' || /^(?:keep-alive|close)$/i.test(connection)) return undefined;
  return new Set(connection.split(',').map((name) => name.trim().toLowerCase()));
}

function without(fields: readonly string[], names: ReadonlySet<string>): string[] {
  const kept: string[] = [];
  for (let i = 0; i + 1 < fields.length; i += 2)
    if (!names.has(fieldNameOf(fields[i]!).lower)) kept.push(fields[i]!, fields[i + 1]!);
  return kept;
}
