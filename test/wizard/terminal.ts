/** A real terminal for a test: tmux on a socket of its own, read as a person would and as the bytes that came. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { root, temporaryDirectory, until } from '../support.js';

const launcher = join(root, 'bin', 'cloud-cli.js');

export interface Size {
  columns: number;
  rows: number;
}

export class Terminal {
  readonly #socket: string;
  readonly #bytes: string;

  /** Starts the command, the wizard unless told otherwise, in a terminal of this size; `env` is all of its environment. */
  constructor(
    env: NodeJS.ProcessEnv,
    { columns, rows }: Size = { columns: 80, rows: 24 },
    args: readonly string[] = ['wizard'],
  ) {
    const directory = temporaryDirectory();
    this.#socket = join(directory, 'tmux');
    this.#bytes = join(directory, 'bytes');
    const go = join(directory, 'go');
    const script = join(directory, 'run.sh');
    const whole = { TERM: 'screen', LANG: 'C.UTF-8', ...env };
    const pairs = Object.entries(whole).map(([name, value]) => quoted(`${name}=${value}`));
    writeFileSync(
      script,
      // Ctrl-C goes to the whole foreground, and this shell is to tell how the wizard took it.
      `trap : INT
until [ -e ${quoted(go)} ]; do sleep 0.02; done
env -i ${pairs.join(' ')} ${quoted(process.execPath)} ${quoted(launcher)} ${args.map(quoted).join(' ')}
echo "exit status $?"
exec cat`,
    );
    this.#tmux(
      ...['-f', '/dev/null', 'new-session', '-d', '-x', String(columns), '-y', String(rows)],
      `sh ${quoted(script)}`,
    );
    onTestFinished(() => {
      this.#tmux('kill-server');
    });
    // Before the first byte, so that what was overwritten on the screen is not missed.
    this.#tmux('pipe-pane', '-o', `cat > ${quoted(this.#bytes)}`);
    writeFileSync(go, '');
  }

  /** The scrollback and the screen, a wrapped line joined again. */
  text(): string {
    return this.#tmux('capture-pane', '-p', '-J', '-S', '-').trimEnd();
  }

  /** Every byte that was written to the terminal, up to `last`, which the screen shows. */
  async bytes(last: string): Promise<string> {
    // Another process copies them, and the screen may be ahead of it.
    return until(() => {
      const bytes = existsSync(this.#bytes) ? readFileSync(this.#bytes, 'utf8') : '';
      return bytes.includes(last) && bytes;
    });
  }

  /** Waits until the text holds `what`; the message of a failure shows the screen. */
  async see(what: string | RegExp): Promise<string> {
    const holds = (text: string) => (typeof what === 'string' ? text.includes(what) : what.test(text));
    try {
      return await until(() => {
        const text = this.text();
        return holds(text) && text;
      });
    } catch {
      throw new Error(`not seen: ${what}\n${this.text()}`);
    }
  }

  /** Waits for the prompt that is open; an answered one has another sign before it. */
  async prompt(label: string): Promise<string> {
    return this.see(new RegExp(`^\\? ${label.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}`, 'm'));
  }

  type(text: string): void {
    this.#tmux('send-keys', '-l', text);
  }

  key(...names: string[]): void {
    this.#tmux('send-keys', ...names);
  }

  /** Answers the prompt of this label, with Enter alone unless a text is given. */
  async answer(label: string, text = ''): Promise<void> {
    await this.prompt(label);
    if (text !== '') this.type(text);
    this.key('Enter');
  }

  async exitStatus(): Promise<number> {
    const text = await this.see(/^exit status \d+$/m);
    return Number(/^exit status (\d+)$/m.exec(text)![1]);
  }

  #tmux(...args: string[]): string {
    return execFileSync('tmux', ['-u', '-S', this.#socket, ...args], {
      encoding: 'utf8',
      env: { PATH: process.env.PATH, LC_ALL: 'C.UTF-8' },
    });
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
