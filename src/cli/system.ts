/** The streams of this process, each made a stream only where it has to be one. */
import { EventEmitter } from 'node:events';
import { fstatSync, writeSync } from 'node:fs';
import type { Io } from './io.js';

export function systemIo(): Io {
  const stdout = mayBeTerminal(1) ? undefined : new PlainOutput(1);
  return {
    get stdin() {
      return process.stdin;
    },
    get stdout() {
      return stdout ?? process.stdout;
    },
    get stderr() {
      return process.stderr;
    },
    env: process.env,
    get interactive() {
      if (!(mayBeTerminal(2) && mayBeTerminal(0))) return false;
      const { isatty } = process.getBuiltinModule('node:tty');
      return isatty(0) && isatty(2);
    },
  };
}

/** Whether it may be a terminal: what is a file, a pipe or a socket is none. */
function mayBeTerminal(fd: number): boolean {
  try {
    const stat = fstatSync(fd);
    return process.platform === 'win32' || !(stat.isFile() || stat.isFIFO() || stat.isSocket());
  } catch {
    return true;
  }
}

/**
 * Writes to a file, pipe or socket as `process.stdout` does, waiting until it is written, but without Node's network
 * code, which would take a tenth of the time of a short command to load.
 */
class PlainOutput extends EventEmitter {
  #failure: Error | undefined;

  constructor(readonly fd: number) {
    super();
  }

  write(text: string, done: (error?: Error) => void = () => {}): boolean {
    if (this.#failure === undefined) this.#write(Buffer.from(text));
    process.nextTick(() => {
      if (this.#failure !== undefined) this.emit('error', this.#failure);
      done(this.#failure);
    });
    return this.#failure === undefined;
  }

  #write(bytes: Buffer): void {
    for (let written = 0; written < bytes.length; ) {
      try {
        written += writeSync(this.fd, bytes, written);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EAGAIN') waitForReader();
        else {
          this.#failure = error as Error;
          return;
        }
      }
    }
  }
}

/** Another process may have made the pipe one that does not wait by itself. */
function waitForReader(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
}
