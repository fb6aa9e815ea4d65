/** The JSON body of a call: of the right type, of bounded size, and an object that two readers read alike. */
import { badBody, Problem } from './problem.js';

/** Bytes that a body may have. */
const mostBytes = 16 * 1024;
/** Levels that it may nest: no field has more than two, and what writes JSON anew overflows its stack at some thousands. */
const mostLevels = 32;

/**
 * Reads the body.
 * @throws Problem `unsupported_media_type`, `payload_too_large`, or `invalid_request` naming what is wrong
 */
export async function readJson(request: Request): Promise<Record<string, unknown>> {
  requireJson(request.headers);
  const text = decode(await readBytes(request));
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw badBody([{ field: 'body', message: 'must be JSON' }]);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw badBody([{ field: 'body', message: 'must be a JSON object' }]);
  const twice = duplicateMember(text);
  if (twice !== undefined)
    throw badBody([{ field: fieldName(twice), message: 'must not be given more than once' }]);
  return value as Record<string, unknown>;
}

function requireJson(headers: Headers): void {
  const [type = '', ...parameters] = (headers.get('content-type') ?? '')
    .split(';')
    .map((part) => part.trim());
  const isUtf8 = parameters.every((parameter) => /^(?:charset="?utf-8"?)?$/i.test(parameter));
  const encoding = headers.get('content-encoding') ?? 'identity';
  if (type.toLowerCase() === 'application/json' && isUtf8 && encoding.toLowerCase() === 'identity') return;
  throw new Problem(
    {
      code: 'unsupported_media_type',
      message: 'the body must be application/json in UTF-8, not compressed',
      hint: 'Send Content-Type: application/json.',
    },
    { headers: { Accept: 'application/json' } },
  );
}

async function readBytes(request: Request): Promise<Uint8Array> {
  const told = request.headers.get('content-length');
  if (Number(told) > mostBytes) throw tooLarge();
  if (told !== null) {
    // A server holds a body to the length that it told, and hands it over whole for much less than as a stream.
    const bytes = new Uint8Array(await request.arrayBuffer());
    if (bytes.length > mostBytes) throw tooLarge();
    return bytes;
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = request.body?.getReader();
  for (;;) {
    const { value } = (await reader?.read()) ?? {};
    if (!value) break;
    length += value.length;
    if (length > mostBytes) {
      await reader?.cancel();
      throw tooLarge();
    }
    chunks.push(value);
  }
  return Buffer.concat(chunks);
}

function tooLarge(): Problem {
  return new Problem({
    code: 'payload_too_large',
    message: `the body is larger than ${mostBytes} bytes`,
    hint: 'Send the fields of one request; a session policy may be given by its ARN.',
  });
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw badBody([{ field: 'body', message: 'must be UTF-8' }]);
  }
}

/**
 * The first member name that an object of `json` has twice. RFC 8259 section 4 leaves to each reader which of the
 * two counts, so that what one checks another might not use. `json` must have been parsed already.
 * @throws Problem `invalid_request` where it nests too deeply
 */
export function duplicateMember(json: string): string | undefined {
  const open: (Set<string> | undefined)[] = [];
  for (const [token, name] of json.matchAll(/("(?:[^"\\]|\\.)*")\s*:|"(?:[^"\\]|\\.)*"|[{}[\]]/gs)) {
    if (token === '{') open.push(new Set());
    else if (token === '[') open.push(undefined);
    else if (token === '}' || token === ']') open.pop();
    else if (name !== undefined) {
      const read = JSON.parse(name) as string;
      const members = open.at(-1);
      if (members?.has(read)) return read;
      members?.add(read);
    }
    if (open.length > mostLevels)
      throw badBody([{ field: 'body', message: `must not nest deeper than ${mostLevels} levels` }]);
  }
  return undefined;
}

function fieldName(name: string): string {
  return name.replace(/[^\x21-\x7e]/g, '?').slice(0, 64) || '(empty)';
}
