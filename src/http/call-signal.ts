/** The signal of one call, made when it is first asked for: most calls end before, and it would cost more than they do. */
export class CallSignal {
  readonly #request: Request;
  #isStopped = false;
  #controller: AbortController | undefined;
  #signal: AbortSignal | undefined;

  constructor(request: Request) {
    this.#request = request;
  }

  /** Aborts when the client is gone, or when a shutdown waits no longer. */
  get signal(): AbortSignal {
    if (!this.#signal) {
      this.#controller = new AbortController();
      if (this.#isStopped) this.#controller.abort();
      this.#signal = AbortSignal.any([this.#request.signal, this.#controller.signal]);
    }
    return this.#signal;
  }

  /** Whether anybody waits for it. */
  get isUsed(): boolean {
    return this.#signal !== undefined;
  }

  stop(): void {
    this.#isStopped = true;
    this.#controller?.abort();
  }
}
