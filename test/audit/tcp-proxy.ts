/** A TCP proxy that fails as networks do: it cuts a connection around a word, freezes, or goes away. */
import { connect, createServer, type Server, type Socket } from 'node:net';

export class TcpProxy {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #cut: { word: string; when: 'before' | 'after'; then: 'stay' | 'away' } | undefined;
  #isFrozen = false;
  #isAway = false;
  #cuts = 0;

  private constructor(server: Server, port: number, target: number) {
    this.#server = server;
    this.port = port;
    server.on('connection', (client) => this.#join(client, target));
  }

  static async start(target: number): Promise<TcpProxy> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new TcpProxy(server, (server.address() as { port: number }).port, target);
  }

  /** How often it has cut. */
  get cuts(): number {
    return this.#cuts;
  }

  /** Cuts the next connection on which the client sends `word`: before it is forwarded, or before its answer is. */
  cutAt(word: string, when: 'before' | 'after', then: 'stay' | 'away' = 'stay'): void {
    this.#cut = { word, when, then };
  }

  /** Forwards nothing any more, and says nothing. */
  freeze(): void {
    this.#isFrozen = true;
  }

  /** Takes connections again. */
  comeBack(): void {
    this.#isAway = false;
    this.#isFrozen = false;
  }

  stop(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }

  #join(client: Socket, target: number): void {
    if (this.#isAway) {
      client.resetAndDestroy();
      return;
    }
    const server = connect(target, '127.0.0.1');
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => this.#sockets.delete(socket));
    }
    let isCut = false;
    client.on('data', (chunk) => {
      if (this.#isFrozen || isCut) return;
      const cut = this.#cut;
      if (cut && chunk.includes(cut.word)) {
        this.#cut = undefined;
        this.#cuts += 1;
        isCut = true;
        this.#isAway = cut.then === 'away';
        if (cut.when === 'after') server.end(chunk);
        else server.destroy();
        client.resetAndDestroy();
      } else server.write(chunk);
    });
    server.on('data', (chunk) => {
      if (!this.#isFrozen && !isCut) client.write(chunk);
    });
    client.on('close', () => {
      if (!isCut) server.destroy();
    });
    server.on('close', () => client.destroy());
  }
}
