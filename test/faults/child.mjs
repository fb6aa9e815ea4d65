/** A process of the suite's, and what it answers. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export class Child {
  #file;
  #options;
  #child;
  #ready;

  /**
   * @param {string} file
   * @param {NodeJS.ProcessEnv} env
   * @param {string[]} through what runs it, such as a command that sets limits first
   */
  constructor(file, env, through = [process.execPath]) {
    const [execPath, ...execArgv] = through;
    this.#options = { env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'], execPath, execArgv };
    this.#file = fileURLToPath(new URL(file, import.meta.url));
    this.start();
  }

  start() {
    this.#child = fork(this.#file, [], this.#options);
    this.output = '';
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream.on('data', (chunk) => {
        this.output += chunk;
      });
    this.#ready = new Promise((resolve) => this.#child.once('message', resolve));
    this.#ready.catch(() => {});
  }

  /** Sends a message and waits for an answer that `isAnswer`, or for the end: `{died}`. `onOther` hears the rest. */
  async ask(message, isAnswer, onOther = () => {}, withinMs = 120_000) {
    const child = this.#child;
    let onExit;
    const ended = new Promise((resolve) => {
      onExit = (code, signal) => resolve({ died: signal ?? `status ${code}` });
      child.once('exit', onExit);
    });
    await Promise.race([this.#ready, ended]);
    let listen;
    const answered = new Promise((resolve) => {
      listen = (answer) => (isAnswer(answer) ? resolve(answer) : onOther(answer));
      child.on('message', listen);
    });
    if (child.connected) child.send(message, () => {});
    let clock;
    const late = new Promise((resolve) => {
      clock = setTimeout(() => {
        child.kill('SIGKILL');
        resolve({ died: 'late' });
      }, withinMs);
    });
    const answer = await Promise.race([answered, ended, late]);
    clearTimeout(clock);
    child.off('exit', onExit);
    child.off('message', listen);
    return answer;
  }

  tell(message) {
    if (this.#child.connected) this.#child.send(message, () => {});
  }

  async end() {
    const child = this.#child;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  }
}
