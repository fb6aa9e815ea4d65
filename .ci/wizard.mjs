/**
 * `node .ci/wizard.mjs TARBALL STAND-INS ADDON WORK`: `npx` of the tarball in a real terminal, answered as a person
 * would, to the end of a mint with the simulated vendor CLIs; then the ledger must have it.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const [, , tarball, standIns, addon, work] = process.argv;
mkdirSync(work);
const env = {
  ...process.env,
  CLOUD_CLI_HOME: join(work, 'cloud-cli'),
  PATH: `${standIns}:${process.env.PATH}`,
  TERM: 'screen',
  LC_ALL: 'C.UTF-8',
  npm_config_cache: join(work, 'npm'),
  npm_config_ignore_scripts: 'true',
  npm_config_update_notifier: 'false',
};
const npx = ['npx', '--yes', `--package=${tarball}`, '--'];
const answers = [
  ['What do you want to mint?', ''],
  ['Credential key', 'idp:aws:prod'],
  ['Role ARN', 'arn:aws:iam::123456789012:role/deploy'],
  ['More options', ''],
  ['Mint it?', ''],
];

// The first call installs; the addon is not compiled again.
execFileSync(npx[0], [...npx.slice(1), 'true'], { env, stdio: ['ignore', 'ignore', 'inherit'] });
const [project] = readdirSync(join(env.npm_config_cache, '_npx'));
cpSync(addon, join(env.npm_config_cache, '_npx', project, 'node_modules', 'better-sqlite3', 'build'), {
  recursive: true,
});

const script = join(work, 'run.sh');
writeFileSync(
  script,
  `${[...npx, 'cloud-cli'].map((word) => `'${word}'`).join(' ')}\necho "exit status $?"\nexec cat\n`,
);
const tmux = (...args) =>
  execFileSync('tmux', ['-u', '-S', join(work, 'tmux'), ...args], { encoding: 'utf8', env });
const screen = () => tmux('capture-pane', '-p', '-J', '-S', '-').trimEnd();

tmux('-f', '/dev/null', 'new-session', '-d', '-x', '100', '-y', '40', `sh '${script}'`);
try {
  for (const [prompt, answer] of answers) {
    await see((text) => text.split('\n').some((line) => line.startsWith(`? ${prompt}`)), prompt);
    if (answer !== '') tmux('send-keys', '-l', answer);
    tmux('send-keys', 'Enter');
  }
  await see((text) => /^exit status \d+$/m.test(text), 'the end');
  assert.match(screen(), /^exit status 0$/m, screen());
} finally {
  tmux('kill-server');
}

const listed = execFileSync(npx[0], [...npx.slice(1), 'cloud-cli', 'audit', 'list', '--json'], {
  env,
  encoding: 'utf8',
});
assert.deepEqual(
  JSON.parse(listed).map(({ status, credential_key }) => [status, credential_key]),
  [['SUCCEEDED', 'idp:aws:prod']],
);
console.log('wizard: npx of the tarball minted in a terminal');

async function see(holds, what) {
  for (const until = Date.now() + 60_000; Date.now() < until; await sleep(100)) if (holds(screen())) return;
  throw new Error(`not seen: ${what}\n${screen()}`);
}
