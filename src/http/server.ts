/** A handler on node:http: slow and broken clients are shown the door, and a shutdown leaves nobody without an answer. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, isIPv6 } from 'node:net';
import type { Duplex } from 'node:stream';
import { getRequestListener } from '@hono/node-server';
import { responseOf } from './answer.js';
import type { HttpHandler } from './app.js';
import { badBody, Problem } from './problem.js';

export interface Serving {
  /** Where it listens. */
  url: string;
  /** Takes no new calls, and resolves when those in progress are answered; called again, it waits no longer. */
  close(): Promise<void>;
}

/** Within these a client must have sent its headers, and its whole request. */
const headersMs = 10_000;
const requestMs = 30_000;
/** An answer that nobody reads; more than the longest that one is waited for. */
const idleMs = 130_000;

/** @throws the system's error where the address cannot be had */
export async function serveHttp(handler: HttpHandler, host: string, port: number): Promise<Serving> {
  const options = {
    headersTimeout: headersMs,
    requestTimeout: requestMs,
    connectionsCheckingInterval: 500,
    // Node's own refusal is no problem+json; the listener's is ours.
    requireHostHeader: false,
  };
  const listener = getRequestListener(handler, {
    errorHandler: () => responseOf(malformed().toAnswer(), {}),
  });
  const server = createServer(options, (request, response) =>
    request.rawHeaders.every(isReadable) ? listener(request, response) : refuseWith(400, response),
  );
  server.timeout = idleMs;
  const newest = new WeakMap<Duplex, ServerResponse<IncomingMessage>>();
  server.on('request', ({ socket }, response) => newest.set(socket, response));
  server.on('checkExpectation', (_, response) => refuseWith(417, response));
  server.on('clientError', (error, socket) => refuse(error, socket, newest.get(socket)));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const address = server.address() as AddressInfo;
  return {
    url: `http://${isIPv6(address.address) ? `[${address.address}]` : address.address}:${address.port}`,
    close: closer(server, handler),
  };
}

function closer(server: Server, handler: HttpHandler): () => Promise<void> {
  let closing: Promise<void> | undefined;
  return async () => {
    if (closing) await handler.drain(0);
    closing ??= (async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      await handler.drain();
      // What is left has an answer on its way, or has not said what it wants.
      const late = setTimeout(() => server.closeAllConnections(), 1000);
      await closed;
      clearTimeout(late);
    })();
    await closing;
  };
}

function malformed(status = 400): Problem {
  const problem = badBody([{ field: 'request', message: 'must be HTTP/1.1, whole and in time' }]);
  return new Problem(problem.members, { status, headers: { 'Cache-Control': 'no-store' } });
}

/**
 * What is no HTTP, or did not come in time, never reaches the handler. `newest` is the connection's newest response:
 * a client takes what it reads for the answer to its oldest call, so that nothing may overtake or follow an answer.
 */
function refuse(error: NodeJS.ErrnoException, socket: Duplex, newest?: ServerResponse): void {
  const isPartOfNewest = newest?.req.complete === false;
  if (!socket.writable || error.code === 'ECONNRESET' || (isPartOfNewest && newest?.headersSent)) {
    socket.destroy();
    return;
  }
  if (newest && !isPartOfNewest && !newest.writableFinished)
    newest.once('finish', () => sendRefusal(error, socket));
  else sendRefusal(error, socket);
}

function sendRefusal({ code = '' }: NodeJS.ErrnoException, socket: Duplex): void {
  const status = statuses[code] ?? 400;
  const { headers, body } = closing(status);
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} Refused\r\n${head.join('')}\r\n${body}`);
}

/** An expectation (RFC 9110 section 10.1.1), whose refusal by Node is no problem+json, or what Node should not have read. */
function refuseWith(status: number, response: ServerResponse): void {
  const { headers, body } = closing(status);
  response.writeHead(status, headers).end(body);
}

/** Names and values in turn. Node.js 20.19 takes names that are no token (RFC 9110 section 5.1). */
function isReadable(text: string, index: number): boolean {
  return index % 2 === 1 || /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(text);
}

/** A refusal that is the last on its connection. */
function closing(status: number) {
  const { headers, body } = malformed(status).toAnswer();
  return {
    body,
    headers: { ...headers, Connection: 'close', 'Content-Length': String(Buffer.byteLength(body)) },
  };
}

const statuses: Readonly<Record<string, number>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 408,
  HPE_HEADER_OVERFLOW: 431,
};
