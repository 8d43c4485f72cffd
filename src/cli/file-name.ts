/** The name of a file from its URL: never a folder of the server's choice. */

const NO_NAME = 'download';
/** What file systems commonly allow, less the `.reknit` that the part gets. */
const MAX_NAME_BYTES = 240;

/** Device names of Windows, with any extension. */
const reservedName = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;

export interface FileName {
  readonly name: string;
  /** The URL gave a usable one. */
  readonly isFromUrl: boolean;
}

/** The last segment of the path, percent-decoded and made safe. */
export function fileNameOf(url: URL): FileName {
  const segment = url.pathname.slice(url.pathname.lastIndexOf('/') + 1);
  const name = shorten(makeSafe(decode(segment)));
  const isUsable = name !== '' && name !== '.' && name !== '..' && !reservedName.test(name);
  return isUsable ? { name, isFromUrl: true } : { name: NO_NAME, isFromUrl: false };
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** Separators of every platform, control and direction characters, and what Windows refuses. */
function makeSafe(name: string): string {
  return (
    name
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
      .replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069/\\:*?"<>|]/g, '_')
      .replace(/[. ]+$/, '')
      .replace(/^ +/, '')
  );
}

function shorten(name: string): string {
  let short = name;
  while (Buffer.byteLength(short) > MAX_NAME_BYTES) short = [...short].slice(0, -1).join('');
  return short;
}
