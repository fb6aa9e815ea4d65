/**
 * Every command as an operator sees it: the sessions of `transcripts/*.txt`, each run anew in a home of its own.
 *
 * After `$ ` stands what is typed, then what it prints, `2> ` before what goes to stderr, and the exit status. What
 * differs between runs has a name instead, such as RUN_ID_1, which may be typed too. UPDATE_TRANSCRIPTS=1 writes the
 * files as the command is now.
 */
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { collect, freshEnvironment, root } from './support.js';

const directory = join(root, 'test', 'transcripts');
const names = readdirSync(directory).filter((name) => name.endsWith('.txt'));
const update = process.env.UPDATE_TRANSCRIPTS === '1';
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };

/** What every secret is made from here, so that none can hide. */
const canary = 'open-sesame-of-the-transcripts';

/** A fresh home with `cloud-cli`, `node` and what tampers with a ledger in its `bin`. */
function newSession(): NodeJS.ProcessEnv {
  const env = freshEnvironment({ CLOUD_CLI_ACTOR: 'alice@example.com', FIXTURE_CANARY: canary });
  const bin = join(env.HOME!, 'bin');
  mkdirSync(bin);
  chmodSync(env.HOME!, 0o700);
  symlinkSync(join(root, 'bin', 'cloud-cli.js'), join(bin, 'cloud-cli'));
  symlinkSync(process.execPath, join(bin, 'node'));
  symlinkSync(join(directory, 'sqlite3.mjs'), join(bin, 'sqlite3'));
  return { ...env, PATH: `${bin}:${join(root, 'fixtures', 'bin')}:/usr/bin:/bin`, LC_ALL: 'C.UTF-8' };
}

/** Gives what differs between runs a name, the same value the same one. */
class Names {
  readonly #known = new Map<string, string>();
  readonly #home: string;

  constructor(home: string) {
    this.#home = home;
  }

  /** `text` with names in it. */
  hide(text: string): string {
    return (
      text
        .replaceAll(join(root, 'fixtures', 'bin'), 'VENDOR')
        .replaceAll(this.#home, '~')
        .replaceAll(process.version.slice(1), 'NODE_VERSION')
        .replace(/owner \S+, mode \d+/g, 'owner OWNER, mode MODE')
        .replace(/(owner"?:? +)\d+/g, '$1OWNER')
        .replace(/(mode"?:? +"?)0[0-7]{3}\b/g, '$1MODE')
        .replace(/"owner":\d+,"mode":"0[0-7]{3}"/g, '"owner":OWNER,"mode":"MODE"')
        .replace(new RegExp(`^${version.replaceAll('.', '\\.')}$`, 'gm'), 'VERSION')
        // Version 7 is ours, others are a vendor's; this one is an example of the help.
        .replace(/\b(?!01936b1e)[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, (id) =>
          this.#nameOf('RUN_ID', id),
        )
        .replace(/\b[0-9a-f]{64}\b/g, (hash) => this.#nameOf('HASH', hash))
        .replace(/\bASIA[A-Z2-7]{16}\b/g, (id) => this.#nameOf('ACCESS_KEY_ID', id))
        // Two moments can fall into one millisecond or second, so that these have no numbers; columns stay columns.
        .replace(
          /\b(?!2026-11-01T00:00)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z( {2})?/g,
          (time, column?: string) => (column === undefined ? 'TIME' : 'TIME'.padEnd(time.length)),
        )
        .replace(/(duration_ms"?:? +)\d+/g, '$1DURATION')
        .replace(/("duration_ms":)\d+/g, '$1DURATION')
        .replace(/(\bhost"?:? *"?)([^\s",]+)/g, (all, before, host) =>
          host === hostname() ? `${before}HOST` : all,
        )
        .replace(/("(?:boot_id|pid_namespace|pid|start_time)": ?)("[^"]*"|\d+)/g, '$1"SYSTEM"')
        .replace(/\(node:\d+\)/g, '(node:PID)')
    );
  }

  /** `text` with the values behind the names. */
  show(text: string): string {
    const values = new Map([...this.#known].map(([value, name]) => [name, value]));
    return text.replace(/\b[A-Z]+(?:_[A-Z]+)*_\d+\b/g, (name) => values.get(name) ?? name);
  }

  #nameOf(kind: string, value: string): string {
    const known = this.#known.get(value);
    if (known !== undefined) return known;
    const number = [...this.#known.values()].filter((name) => /^(.*)_\d+$/.exec(name)?.[1] === kind).length;
    const name = `${kind}_${number + 1}`;
    this.#known.set(value, name);
    return name;
  }
}

/** The lines of a transcript without what was printed: remarks, and commands with the lines that continue them. */
function script(text: string): (string | { command: string })[] {
  const lines = text.replace(/\n$/, '').split('\n');
  const parts: (string | { command: string })[] = [];
  for (let line = lines.shift(); line !== undefined; line = lines.shift()) {
    if (!line.startsWith('$ ')) {
      parts.push(line);
      continue;
    }
    let command = line;
    while (lines[0]?.startsWith('> ')) command += `\n${lines.shift()}`;
    parts.push({ command });
    const end = lines.findIndex((next) => /^\[exit \d+\]$/.test(next));
    const next = lines.findIndex((other) => other.startsWith('$ '));
    if (end !== -1 && (next === -1 || end < next)) lines.splice(0, end + 1);
  }
  return parts;
}

async function perform(text: string): Promise<string> {
  const env = newSession();
  const names = new Names(env.HOME!);
  const out: string[] = [];
  for (const part of script(text)) {
    if (typeof part === 'string') {
      out.push(part);
      continue;
    }
    const typed = names.show(part.command.replace(/^[$>] /gm, ''));
    const child = spawn('/bin/bash', ['-c', typed], {
      env,
      cwd: env.HOME!,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 180_000,
    });
    const { code, stdout, stderr } = await collect(child);
    out.push(part.command);
    for (const line of linesOf(names.hide(stdout))) out.push(line);
    for (const line of linesOf(names.hide(stderr))) out.push(`2> ${line}`.trimEnd());
    out.push(`[exit ${code}]`);
  }
  return `${out.join('\n')}\n`;
}

function linesOf(text: string): string[] {
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}

describe('the transcript', () => {
  it.each(names)('%s is what the command does', { timeout: 300_000 }, async (name) => {
    const file = join(directory, name);
    const written = readFileSync(file, 'utf8');
    const performed = await perform(written);
    // Off a terminal there is nothing for a terminal to obey.
    expect(performed).not.toContain('\u001b');
    expect(performed).not.toContain(canary);
    if (update) writeFileSync(file, performed);
    else expect(performed).toBe(written);
  });
});
