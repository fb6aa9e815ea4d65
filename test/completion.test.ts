/** Completion, as a person meets it: the printed script in real bash, zsh and fish, and what it asks cloud-cli for. */
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { locate } from '../src/locate.js';
import { cloudCli, flagsOf, freshEnvironment, requests, root, until } from './support.js';

const targets = { prod: requests.aws(), staging: requests.gcp() };

/** A home with a key, a run and two targets, and `cloud-cli` itself on PATH. */
async function furnished(): Promise<{ env: NodeJS.ProcessEnv; run_id: string }> {
  const env = freshEnvironment();
  const bin = join(env.HOME!, 'bin');
  mkdirSync(bin);
  symlinkSync(join(root, 'bin', 'cloud-cli.js'), join(bin, 'cloud-cli'));
  env.PATH = `${bin}:${env.PATH}`;
  const { code, stdout } = await cloudCli(['mint', ...flagsOf(requests.aws()), '--json'], env);
  expect(code).toBe(0);
  writeFileSync(join(env.CLOUD_CLI_HOME!, 'config.json'), JSON.stringify({ targets }));
  return { env, run_id: JSON.parse(stdout).audit_run_id };
}

/** The words that the last of `words` may become. */
async function offered(env: NodeJS.ProcessEnv, ...words: string[]): Promise<string[]> {
  const ran = await cloudCli(['completion', 'candidates', '--', ...words], env);
  expect([ran.code, ran.stderr]).toEqual([0, '']);
  const [kind, ...lines] = ran.stdout.trimEnd().split('\n');
  return kind === 'words' ? lines.map((line) => line.split('\t')[0]!) : [kind!];
}

describe('cloud-cli completion offers', () => {
  it('commands, subcommands and the commands that help explains', async () => {
    const env = freshEnvironment();
    expect(await offered(env, '')).toEqual(expect.arrayContaining(['mint', 'preview', 'audit', 'help']));
    expect(await offered(env, 'cred')).toEqual(['credential-process', 'credentials']);
    expect(await offered(env, 'audit', '')).toEqual(expect.arrayContaining(['list', 'verify', 'trace']));
    expect(await offered(env, 'help', 'audit', 'l')).toEqual(['list']);
    expect(await offered(env, 'completion', '')).toEqual(['bash', 'zsh', 'fish']);
  });

  it('flags that may still be given, and of a known provider’s alone', async () => {
    const env = freshEnvironment();
    expect(await offered(env, 'mint', '--role')).toEqual(['--role-arn', '--role-session-name']);
    expect(await offered(env, 'mint', '--provider', 'gcp', '--role')).toEqual([]);
    expect(await offered(env, 'mint', '--provider=aws', '--external')).toEqual([
      '--external-id',
      '--external-id-file',
    ]);
    expect(await offered(env, 'mint', '--json', '--js')).toEqual([]);
    expect(await offered(env, 'mint', '--policy-arns', 'a', 'b', '--policy-arns')).toEqual(['--policy-arns']);
    expect(await offered(env, 'handlers', '')).toEqual(['--json', '--help']);
  });

  it('values: of choices, credential keys, targets, runs, and files by the shell', async () => {
    const { env, run_id } = await furnished();
    expect(await offered(env, 'mint', '--provider', '')).toEqual(['aws', 'gcp', 'azure']);
    expect(await offered(env, 'mint', '--provider=a')).toEqual(['--provider=aws', '--provider=azure']);
    expect(await offered(env, 'audit', 'list', '--status', '')).toEqual(['PENDING', 'SUCCEEDED', 'FAILED']);
    expect(await offered(env, 'exec', 'idp')).toEqual(['idp:aws:prod']);
    expect(await offered(env, 'exec', 'idp:aws:prod', 'idp')).toEqual([]);
    expect(await offered(env, 'mint', '')).toEqual(['prod', 'staging']);
    expect(await offered(env, 'audit', 'show', run_id.slice(0, 4))).toEqual([run_id]);
    expect(await offered(env, 'mint', '--external-id-file', '')).toEqual(['file']);
    expect(await offered(env, 'exec', 'idp:aws:prod', '--', 'l')).toEqual(['command 4']);
  });

  it('the newest twenty runs', async () => {
    const env = freshEnvironment({ PATH: '/nonexistent' });
    for (let run = 0; run < 21; run += 1) await cloudCli(['mint', ...flagsOf(requests.aws())], env);
    const rows = JSON.parse((await cloudCli(['audit', 'list', '--limit', '20', '--json'], env)).stdout);
    expect(await offered(env, 'audit', 'show', '')).toEqual(
      rows.map(({ run_id }: { run_id: string }) => run_id),
    );
  });

  it('nothing, quietly, where home, store or configuration cannot be read, and makes none of them', async () => {
    const fresh = freshEnvironment();
    expect(await offered(fresh, 'exec', 'i')).toEqual([]);
    expect(await offered(fresh, 'audit', 'show', '0')).toEqual([]);
    expect(existsSync(fresh.CLOUD_CLI_HOME!)).toBe(false);
    const { env } = await furnished();
    writeFileSync(join(env.CLOUD_CLI_HOME!, 'config.json'), '{');
    chmodSync(join(env.CLOUD_CLI_HOME!, 'credentials'), 0o755);
    for (const words of [
      ['mint', 'p'],
      ['exec', 'i'],
      ['audit', 'show', '0'],
    ]) {
      const ran = await cloudCli(['completion', 'candidates', '--', ...words], env);
      expect(ran).toMatchObject({ code: 0, stdout: '', stderr: '' });
    }
    const broken = freshEnvironment({
      CLOUD_CLI_AUDIT_URL: 'sqlite:/proc/version',
      CLOUD_CLI_STORE_URL: 'x:',
    });
    for (const words of [
      ['exec', 'i'],
      ['audit', 'show', '0'],
    ]) {
      const ran = await cloudCli(['completion', 'candidates', '--', ...words], broken);
      expect(ran).toMatchObject({ code: 0, stdout: '', stderr: '' });
    }
  });
});

/** How each shell is started bare, and made to print its command line between « and » at Ctrl-G. */
const shells: Record<string, { start: string[]; setup: string }> = {
  bash: {
    start: ['--norc', '--noprofile', '-i'],
    setup: String.raw`source <(cloud-cli completion bash); bind -x '"\C-g": printf "«%s»\n" "$READLINE_LINE"'`,
  },
  zsh: {
    start: ['-f', '-i'],
    setup: String.raw`autoload -Uz compinit; compinit -u -D; source <(cloud-cli completion zsh); show() { printf '«%s»\n' "$BUFFER" }; zle -N show; bindkey '^G' show`,
  },
  fish: {
    start: ['--no-config', '-i'],
    setup: String.raw`cloud-cli completion fish | source; bind \cg 'printf "«%s»\n" (commandline -b)'`,
  },
};

describe.each(Object.keys(shells))('in a real %s', (name) => {
  const path = locate(name, '/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin');
  const terminal = locate('script', '/usr/bin:/bin');

  it('Tab completes commands, flags, values with colons, targets, runs, files and the command of exec', async ({
    skip,
  }) => {
    skip(path === undefined, `${name} is not on this host`);
    skip(terminal === undefined, 'script of util-linux is not on this host');
    const { env, run_id } = await furnished();
    writeFileSync(join(env.HOME!, 'only-file.txt'), '');
    const { start, setup } = shells[name]!;
    const line = [path!, ...start].join(' ');
    const shell = spawn(terminal!, ['-qec', line, '/dev/null'], {
      env: { ...env, TERM: 'xterm', LC_ALL: 'C.UTF-8', SHELL: path! },
      cwd: env.HOME!,
    });
    onTestFinished(() => void shell.kill('SIGHUP'));
    let screen = '';
    for (const stream of [shell.stdout, shell.stderr])
      stream.on('data', (chunk) => {
        screen += chunk;
      });
    const send = (text: string) => shell.stdin.write(text);
    // From a file: the echo of what is typed must not look like what is waited for.
    writeFileSync(join(env.HOME!, 'setup'), `${setup}\nprintf 'set%s\\n' up-done\n`);
    send('source ./setup\r');
    await until(() => screen.includes('setup-done'));

    /** The command line once Tab was pressed behind `typed`. */
    const completed = async (typed: string) => {
      screen = '';
      send(`${typed}\t\x07`);
      const shown = await until(() => /«(.*?)»/s.exec(screen)?.[1]).catch(() => {
        throw new Error(`no answer to ${typed}: ${JSON.stringify(screen)}`);
      });
      send('\x15');
      return shown.trimEnd();
    };
    expect(await completed('cloud-cli han')).toBe('cloud-cli handlers');
    expect(await completed('cloud-cli audit verif')).toBe('cloud-cli audit verify');
    expect(await completed('cloud-cli mint --role-a')).toBe('cloud-cli mint --role-arn');
    expect(await completed('cloud-cli mint --provider g')).toBe('cloud-cli mint --provider gcp');
    expect(await completed('cloud-cli mint --provider=g')).toBe('cloud-cli mint --provider=gcp');
    expect(await completed('cloud-cli exec idp:a')).toBe('cloud-cli exec idp:aws:prod');
    expect(await completed('cloud-cli audit list --key=idp:')).toBe(
      'cloud-cli audit list --key=idp:aws:prod',
    );
    expect(await completed('cloud-cli mint sta')).toBe('cloud-cli mint staging');
    expect(await completed('cloud-cli audit show 0')).toBe(`cloud-cli audit show ${run_id}`);
    expect(await completed('cloud-cli mint --external-id-file only')).toBe(
      'cloud-cli mint --external-id-file only-file.txt',
    );
    expect(await completed('cloud-cli mint --external-id-file=only')).toBe(
      'cloud-cli mint --external-id-file=only-file.txt',
    );
    expect(await completed('cloud-cli exec idp:aws:prod -- mkfif')).toBe(
      'cloud-cli exec idp:aws:prod -- mkfifo',
    );
    expect(await completed('cloud-cli exec idp:aws:prod -- cat only')).toBe(
      'cloud-cli exec idp:aws:prod -- cat only-file.txt',
    );
  });
});
