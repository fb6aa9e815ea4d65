/** A session of the real wizard in a real terminal (tmux), as its last screen stands there. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freshHome } from './home.mjs';

/** What the operator answers, prompt by prompt. */
const answers = [
  [/^\? What do you want to mint\?/m, ''],
  [/^\? Credential key/m, 'idp:aws:prod'],
  [/^\? Role ARN/m, 'arn:aws:iam::123456789012:role/deploy'],
  [/^\? More options/m, ''],
  [/^\? Mint it\?/m, ''],
];

/** Wide enough for the command that the wizard leaves behind. */
const columns = 118;
const rows = 40;

/** @returns {Promise<string>} the screen, its colours as escape sequences, without empty lines at its end */
export async function recordWizard() {
  const home = freshHome();
  const directory = mkdtempSync(join(tmpdir(), 'cloud-cli-terminal-'));
  const tmux = (...args) =>
    execFileSync('tmux', ['-u', '-S', join(directory, 'socket'), ...args], {
      encoding: 'utf8',
      env: { ...home.env, TERM: 'screen-256color' },
    });
  const screen = (...flags) => tmux('capture-pane', '-p', ...flags);
  const see = async (what) => {
    for (let tries = 0; !what.test(screen()); tries += 1) {
      if (tries > 600) throw new Error(`not seen: ${what}\n${screen()}`);
      await sleep(50);
    }
  };
  try {
    const profile = join(directory, 'profile');
    writeFileSync(profile, "PS1='$ '\n");
    const size = ['-x', String(columns), '-y', String(rows)];
    tmux('-f', '/dev/null', 'new-session', '-d', ...size, `exec env ENV='${profile}' /bin/sh -i`);
    await see(/^\$ ?$/m);
    tmux('send-keys', '-l', 'cloud-cli wizard');
    tmux('send-keys', 'Enter');
    for (const [prompt, text] of answers) {
      await see(prompt);
      if (text !== '') tmux('send-keys', '-l', text);
      tmux('send-keys', 'Enter');
    }
    await see(/^The same again:\n.+\n\$ ?$/m);
    return home
      .inShort(screen('-e'))
      .trimEnd()
      .replace(/\n\S*\$\S*$/, '');
  } finally {
    tmux('kill-server');
    rmSync(directory, { recursive: true, force: true, maxRetries: 10 });
    home.remove();
  }
}
