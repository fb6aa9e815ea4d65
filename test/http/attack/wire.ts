/** HTTP/1.1 by hand: sends what no client library would, and reads every answer that comes back. */
import { connect, type Socket } from 'node:net';

/** One answer as it came. */
export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  /** The text as JSON; undefined where it is none. */
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at whatever came
  body: any;
}

export interface Call {
  method?: string;
  /** What stands in the request line: a path, or whole URLs and worse. */
  target: string;
  /** In this order and spelling; one given twice is sent twice. Host and Content-Length are added where absent. */
  headers?: [string, string][];
  body?: string | Uint8Array | undefined;
}

/** A call's bytes, and nothing that it did not ask for. */
export function bytesOf(base: string, { method, target, headers = [], body }: Call): Buffer {
  const has = (name: string) => headers.some(([given]) => given.toLowerCase() === name);
  const all: [string, string][] = [
    ...(has('host') ? [] : [['Host', new URL(base).host] as [string, string]]),
    ...headers,
    ...(body === undefined || has('content-length') || has('transfer-encoding')
      ? []
      : [['Content-Length', String(Buffer.byteLength(body))] as [string, string]]),
    ...(has('connection') ? [] : [['Connection', 'close'] as [string, string]]),
  ];
  const line = `${method ?? (body === undefined ? 'GET' : 'POST')} ${target} HTTP/1.1\r\n`;
  const head = `${line}${all.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
  return Buffer.concat([Buffer.from(head, 'latin1'), Buffer.from(body ?? '')]);
}

/** Opens a connection. What the other side resets is an end like another. */
export async function open(base: string): Promise<Socket> {
  const { hostname, port } = new URL(base);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {});
  await new Promise((resolve) => socket.once('connect', resolve));
  return socket;
}

/** Writes `bytes`, keeps the connection until the other side ends it, and gives all that was answered. */
export async function exchange(base: string, bytes: string | Uint8Array): Promise<Answer[]> {
  const socket = await open(base);
  socket.write(bytes);
  return answersOn(socket);
}

/** Everything that comes on a connection until it ends. */
export async function answersOn(socket: Socket): Promise<Answer[]> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  await new Promise((resolve) => socket.once('close', resolve));
  return answersIn(Buffer.concat(chunks).toString('utf8'));
}

/** The one answer to a call. */
export async function send(base: string, call: Call): Promise<Answer> {
  const answers = await exchange(base, bytesOf(base, call));
  if (answers.length !== 1) throw new Error(`${answers.length} answers to ${call.target}`);
  return answers[0]!;
}

function answersIn(text: string): Answer[] {
  const answers: Answer[] = [];
  for (let rest = Buffer.from(text); rest.length > 0; ) {
    const end = rest.indexOf('\r\n\r\n');
    const [line = '', ...lines] = rest.subarray(0, end).toString().split('\r\n');
    const headers = new Headers(lines.map((each) => each.split(/: ?(.*)/s, 2) as [string, string]));
    const length = Number(headers.get('content-length') ?? 0);
    if (end === -1 || headers.has('transfer-encoding')) throw new Error('an answer that cannot be read');
    const body = rest.subarray(end + 4, end + 4 + length).toString();
    answers.push({ status: Number(line.split(' ')[1]), headers, text: body, body: parsed(body) });
    rest = rest.subarray(end + 4 + length);
  }
  return answers;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
