/** The wizard in a real terminal: what a person sees, answers and is left with. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { exitCodes, type Fields, handlers, openAuditStore, type WorkloadRun } from '../../src/index.js';
import { commonFields } from '../../src/request.js';
import {
  freshEnvironment,
  isAlive,
  type Provider,
  providers,
  recorded,
  requests,
  root,
  temporaryDirectory,
  until,
} from '../support.js';
import { type Size, Terminal } from './terminal.js';

const canary = 'Canary7Qz5';
const wide: Size = { columns: 80, rows: 24 };
const narrow: Size = { columns: 40, rows: 24 };

function environment(more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv & { CLOUD_CLI_HOME: string } {
  const env = freshEnvironment({ FIXTURE_CANARY: canary, ...distribution(), ...more });
  return { ...env, CLOUD_CLI_HOME: env.CLOUD_CLI_HOME! };
}

/** Another build than dist, where one is named. */
function distribution(): NodeJS.ProcessEnv {
  const { CLOUD_CLI_DIST } = process.env;
  return CLOUD_CLI_DIST === undefined ? {} : { CLOUD_CLI_DIST };
}

/** Puts a target into the configuration: the wizard then asks nothing but whether to mint. */
function configure(
  env: { CLOUD_CLI_HOME: string },
  target: Record<string, unknown>,
  more: Record<string, unknown> = {},
): void {
  mkdirSync(env.CLOUD_CLI_HOME, { recursive: true });
  const config = { targets: { tgt: target }, ...more };
  writeFileSync(join(env.CLOUD_CLI_HOME, 'config.json'), JSON.stringify(config));
}

async function rows(env: { CLOUD_CLI_HOME: string }): Promise<WorkloadRun[]> {
  const path = join(env.CLOUD_CLI_HOME, 'audit.sqlite');
  if (!existsSync(path)) return [];
  const audit = await openAuditStore(`sqlite:${path}`);
  try {
    return await audit.list();
  } finally {
    await audit.close();
  }
}

/** Of a terminal in which the wizard has ended. */
async function expectClean(terminal: Terminal): Promise<void> {
  const bytes = await terminal.bytes('exit status');
  expect(bytes).toContain('What do you want to mint?');
  expect(bytes).not.toContain(canary);
  expect(terminal.text()).not.toContain(canary);
}

/** Picks a provider by moving down to it. */
async function pick(terminal: Terminal, provider: Provider): Promise<void> {
  await terminal.prompt('What do you want to mint?');
  for (let at = 0; at < providers.indexOf(provider); at += 1) terminal.key('Down');
  await terminal.see(new RegExp(`^[❯>] ${handlers[provider].title.slice(0, 20)}`, 'm'));
  terminal.key('Enter');
}

const label = (provider: Provider, name: string): string =>
  (({ ...commonFields, ...handlers[provider].fields }) as Fields)[name]!.label;

/** Answers a request's fields: the required ones first, the others by ticking them. */
async function fill(terminal: Terminal, request: Record<string, unknown>): Promise<void> {
  const provider = request.provider as Provider;
  const fields: Fields = { ...commonFields, ...handlers[provider].fields };
  const given = Object.entries(request).filter(([name]) => name !== 'provider');
  for (const [name, value] of given)
    if (fields[name]!.required) await terminal.answer(label(provider, name), String(value));
  await terminal.prompt('More options');
  const optional = [...Object.keys(handlers[provider].fields), 'timeout_seconds', 'reason'].filter(
    (name) => !fields[name]!.required,
  );
  const wanted = given.filter(([name]) => !fields[name]!.required);
  let at = 0;
  for (const [name] of wanted) {
    for (; at < optional.indexOf(name); at += 1) terminal.key('Down');
    terminal.key('Space');
  }
  terminal.key('Enter');
  for (const [name, value] of wanted) await terminal.answer(label(provider, name), String(value));
}

describe('a success', () => {
  for (const size of [wide, narrow]) {
    for (const provider of providers) {
      it(`of ${provider} shows the envelope and the line that repeats it, at ${size.columns} columns`, async () => {
        const env = environment();
        const terminal = new Terminal(env, size);
        const request = requests[provider]();
        await pick(terminal, provider);
        await fill(terminal, request);
        const asked = await terminal.prompt('Mint it?');
        expect(asked).toContain(handlers[provider].binary);
        terminal.key('Enter');
        expect(await terminal.exitStatus()).toBe(0);

        const [row] = await rows(env);
        expect(row).toMatchObject({ status: 'SUCCEEDED', provider });
        const text = terminal.text();
        for (const what of [row!.credential_key, row!.expires_at, 'time_left', row!.run_id])
          expect(text).toContain(what);
        const line = /^cloud-cli mint .*$/m.exec(text)![0];
        expect(shell(line, env)).toMatchObject({ status: 0, stderr: '' });
        const [second, first] = await rows(env);
        expect(second!.request_digest).toBe(first!.request_digest);
        await expectClean(terminal);
      });
    }
  }

  it('offers the last answers, and says what changed since the last mint of the key', async () => {
    const env = environment();
    const first = new Terminal(env);
    await pick(first, 'aws');
    await fill(first, { ...requests.aws(), duration_seconds: 900 });
    await first.answer('Mint it?');
    expect(await first.exitStatus()).toBe(0);
    expect(first.text()).toContain('nothing to compare: idp:aws:prod is new');

    const second = new Terminal(env);
    await second.answer('What do you want to mint?');
    await second.answer('Credential key (idp:aws:prod)');
    await second.answer('Role ARN (arn:aws:iam::123456789012:role/deploy)');
    await second.answer('More options');
    await second.answer('Duration (seconds) (900)', '1800');
    await second.answer('Mint it?');
    expect(await second.exitStatus()).toBe(0);
    expect(second.text()).toContain('--duration-seconds: 900 -> 1800');

    const third = new Terminal(env);
    for (const prompt of ['What do you', 'Credential', 'Role', 'More', 'Duration', 'Mint'])
      await third.answer(prompt);
    expect(await third.exitStatus()).toBe(0);
    expect(third.text()).toMatch(/nothing since 20/);
  });

  it('of a named target asks only whether to mint, and repeats by its name', async () => {
    const env = environment();
    configure(env, { ...requests.gcp(), reason: 'nightly' });
    const terminal = new Terminal(env);
    await terminal.prompt('What do you want to mint?');
    expect(await terminal.see('idp:gcp:prod')).toContain('❯ tgt (gcloud: found)');
    terminal.key('Enter');
    await terminal.answer('Mint it?');
    expect(await terminal.exitStatus()).toBe(0);
    expect(terminal.text()).toMatch(/^cloud-cli mint tgt$/m);
    expect((await rows(env))[0]).toMatchObject({ status: 'SUCCEEDED', reason: 'nightly' });
  });

  it('hides a secret while it is typed, and keeps it nowhere', async () => {
    const env = environment();
    const terminal = new Terminal(env);
    await pick(terminal, 'aws');
    await terminal.answer('Credential key', 'idp:aws:prod');
    await terminal.answer('Role ARN', requests.aws().role_arn);
    await terminal.prompt('More options');
    terminal.key('Down', 'Space', 'Enter');
    await terminal.prompt('External ID');
    terminal.type(`${canary}-external`);
    await terminal.see('External ID [hidden]');
    terminal.key('Tab', 'C-t', 'Enter');
    await terminal.prompt('Mint it?');
    terminal.key('Enter');
    expect(await terminal.exitStatus()).toBe(0);
    expect(terminal.text()).toContain('--external-id=****');
    expect(terminal.text()).toContain('--external-id-file -');
    await expectClean(terminal);
    expect(readFileSync(join(env.CLOUD_CLI_HOME, 'answers.json'), 'utf8')).not.toContain(canary);
    expect(statSync(join(env.CLOUD_CLI_HOME, 'answers.json')).mode & 0o777).toBe(0o600);
  });
});

describe('while one types', () => {
  it('says what is wrong, and no longer when it is right', async () => {
    const terminal = new Terminal(environment());
    await pick(terminal, 'aws');
    await terminal.prompt('Credential key');
    terminal.type('idp:AWS');
    await terminal.see('! must be 2 to 8 lower-case segments');
    terminal.key('BSpace', 'BSpace', 'BSpace');
    terminal.type('aws');
    await terminal.see(/Credential key idp:aws\n {2}Where the credential is kept/);
    terminal.key('Enter');
    await terminal.prompt('Role ARN');
    terminal.key('Enter');
    await terminal.see('! is required');
  });

  it('lets the default be edited with Tab', async () => {
    const env = environment();
    mkdirSync(env.CLOUD_CLI_HOME, { recursive: true });
    const answers = { gcp: { target_credential_key: 'idp:gcp:old' } };
    writeFileSync(join(env.CLOUD_CLI_HOME, 'answers.json'), JSON.stringify({ last: 'gcp', answers }));
    const terminal = new Terminal(env);
    await terminal.answer('What do you want to mint?');
    await terminal.prompt('Credential key (idp:gcp:old)');
    terminal.key('Tab', 'BSpace', 'BSpace', 'BSpace');
    terminal.type('new');
    await terminal.see('? Credential key idp:gcp:new');
    terminal.key('Enter');
    await terminal.prompt('Service account');
  });

  it('does not let two options be ticked that exclude each other', async () => {
    const terminal = new Terminal(environment());
    await pick(terminal, 'azure');
    await terminal.answer('Credential key', 'idp:azure:prod');
    await terminal.prompt('More options');
    terminal.key('Space', 'Down', 'Space', 'Enter');
    await terminal.see('Take one of Resource and Scope, not both.');
    terminal.key('Space', 'Enter');
    await terminal.prompt('Resource');
  });
});

describe('a failure', () => {
  const cases: {
    code: keyof typeof exitCodes;
    target: Record<string, unknown>;
    env?: NodeJS.ProcessEnv;
    config?: Record<string, unknown>;
    confirm?: string;
    cloud: string;
    fix: string;
  }[] = [
    {
      code: 'invalid_request',
      target: requests.aws(),
      env: { CLOUD_CLI_STORE_URL: 'ftp:nowhere' },
      cloud: 'nothing: no credential was issued',
      fix: 'Name the store as',
    },
    {
      code: 'policy_denied',
      target: requests.aws(),
      config: { allow: [{ keys: ['idp:gcp:*'] }] },
      confirm: 'y',
      cloud: 'nothing: no credential was issued',
      fix: 'Ask for less',
    },
    {
      code: 'binary_missing',
      target: requests.aws(),
      env: { PATH: '/nowhere' },
      confirm: 'y',
      cloud: 'nothing: no credential was issued',
      fix: 'Install the AWS CLI',
    },
    {
      code: 'nonzero_exit',
      target: requests.gcp('denied'),
      cloud: 'nothing: no credential was issued',
      fix: 'roles/iam.serviceAccountTokenCreator',
    },
    {
      code: 'nonzero_exit',
      target: requests.azure('leaky'),
      cloud: 'the cloud may hold a live credential',
      fix: 'Log the principal in again',
    },
    {
      code: 'parse_error',
      target: requests.azure('garbage'),
      cloud: 'the cloud may hold a live credential',
      fix: 'Compare with',
    },
    {
      code: 'timeout',
      target: { ...requests.aws('hanging'), timeout_seconds: 1 },
      cloud: 'the cloud may hold a live credential',
      fix: 'Run it again',
    },
    {
      code: 'persist_failed',
      target: requests.aws(),
      env: { CLOUD_CLI_STORE_URL: 'none:' },
      cloud: 'nothing: no credential was issued',
      fix: 'store that can write',
    },
    {
      code: 'audit_unavailable',
      target: requests.aws(),
      env: { CLOUD_CLI_AUDIT_URL: 'sqlite:/dev/null/audit.sqlite' },
      cloud: 'nothing: no credential was issued',
      fix: '',
    },
  ];
  for (const { code, target, env: more, config, confirm, cloud, fix } of cases) {
    for (const size of [wide, narrow]) {
      it(`as ${code} of ${target.provider} says what happened, what the cloud holds and the fix, at ${size.columns} columns`, async () => {
        const env = environment(more);
        configure(env, target, config);
        const terminal = new Terminal(env, size);
        await terminal.answer('What do you want to mint?');
        if (!['invalid_request', 'audit_unavailable'].includes(code))
          await terminal.answer('Mint it', confirm);
        const text = flat(await terminal.prompt('What now?'));
        expect(text).toContain(`✘ ${code}`);
        for (const part of ['What happened', 'In the cloud', cloud, 'What to do', fix])
          expect(text).toContain(part);
        for (const choice of ['Edit the answers', 'Retry', 'Leave']) expect(text).toContain(choice);
        terminal.key('Down', 'Down', 'Enter');
        expect(await terminal.exitStatus()).toBe(exitCodes[code]);
        await expectClean(terminal);
      });
    }
  }

  it('as conflict says so while another mint of the key runs', async () => {
    const env = environment();
    configure(env, requests.aws('hanging'));
    const first = new Terminal(env);
    await first.answer('What do you want to mint?');
    await first.answer('Mint it?');
    await first.see('minting,');
    await until(async () => (await rows(env)).length === 1);
    const second = new Terminal(env);
    await second.answer('What do you want to mint?');
    await second.answer('Mint it?');
    await second.see('✘ conflict');
    first.key('C-c');
    expect(await first.exitStatus()).toBe(130);
    await second.prompt('What now?');
    second.key('C-c');
    expect(await second.exitStatus()).toBe(130);
  });

  it('is mended by an edit, which offers the answers that were given', async () => {
    const env = environment();
    const terminal = new Terminal(env);
    await pick(terminal, 'aws');
    await fill(terminal, requests.aws('denied'));
    await terminal.answer('Mint it?');
    await terminal.answer('What now?');
    await terminal.answer('Credential key (idp:aws:prod)');
    await terminal.answer(
      'Role ARN (arn:aws:iam::123456789012:role/denied)',
      'arn:aws:iam::123456789012:role/deploy',
    );
    await terminal.answer('More options');
    await terminal.answer('Mint it?');
    expect(await terminal.exitStatus()).toBe(0);
    expect((await rows(env)).map(({ status }) => status)).toEqual(['SUCCEEDED', 'FAILED']);
    await expectClean(terminal);
  });

  it('may be retried as it is, as a run of its own', async () => {
    const env = environment();
    configure(env, requests.aws('denied'));
    const terminal = new Terminal(env);
    await terminal.answer('What do you want to mint?');
    await terminal.answer('Mint it?');
    await terminal.prompt('What now?');
    terminal.key('Down', 'Enter');
    await terminal.see(/✘ nonzero_exit[^✘]*✘ nonzero_exit/s);
    await terminal.prompt('What now?');
    terminal.key('Down', 'Down', 'Enter');
    expect(await terminal.exitStatus()).toBe(exitCodes.nonzero_exit);
    const [second, first] = await rows(env);
    expect([second!.status, first!.status]).toEqual(['FAILED', 'FAILED']);
    expect(second!.run_id).not.toBe(first!.run_id);
  });
});

describe('leaving', () => {
  for (const key of ['C-c', 'C-d']) {
    it(`with ${key} at a prompt records nothing, and keeps the answers`, async () => {
      const env = environment();
      const terminal = new Terminal(env);
      await pick(terminal, 'gcp');
      await terminal.answer('Credential key', 'idp:gcp:kept');
      await terminal.prompt('Service account');
      terminal.key(key);
      expect(await terminal.exitStatus()).toBe(130);
      expect(terminal.text()).toMatch(/^cloud-cli: cancelled$/m);
      expect(await rows(env)).toEqual([]);

      const again = new Terminal(env);
      await again.answer('What do you want to mint?');
      await again.prompt('Credential key (idp:gcp:kept)');
    });
  }

  it('with Ctrl-C at the last question records nothing', async () => {
    const env = environment();
    configure(env, requests.aws());
    const terminal = new Terminal(env);
    await terminal.answer('What do you want to mint?');
    await terminal.prompt('Mint it?');
    terminal.key('C-c');
    expect(await terminal.exitStatus()).toBe(130);
    expect(await rows(env)).toEqual([]);
  });

  for (const word of ['hanging', 'grandchild']) {
    it(`with Ctrl-C during the run ends the whole process group, and records it as cancelled (${word})`, async () => {
      const record = join(temporaryDirectory(), 'calls');
      const env = environment({ FIXTURE_RECORD: record });
      configure(env, requests.aws(word));
      const terminal = new Terminal(env);
      await terminal.answer('What do you want to mint?');
      await terminal.answer('Mint it?');
      await terminal.see('minting,');
      const { pid, grandchild } = await until(() => recorded(record)[0]);
      terminal.key('C-c');
      expect(await terminal.exitStatus()).toBe(130);
      const [row] = await rows(env);
      expect(row).toMatchObject({ status: 'FAILED', outcome: 'unknown', error: { code: 'cancelled' } });
      expect(flat(terminal.text())).toContain('the cloud may hold a live credential until');
      for (const id of [pid, grandchild].filter((id) => id !== undefined)) expect(isAlive(id)).toBe(false);
    });
  }

  it('is offered instead of a mint', async () => {
    const env = environment();
    configure(env, requests.aws());
    const terminal = new Terminal(env);
    await terminal.answer('What do you want to mint?');
    await terminal.answer('Mint it?', 'n');
    await terminal.prompt('What now?');
    terminal.key('Down', 'Enter');
    expect(await terminal.exitStatus()).toBe(130);
    expect(await rows(env)).toEqual([]);
  });
});

describe('the terminal', () => {
  it('sees the seconds go by, of those that the vendor CLI may take', async () => {
    const env = environment();
    configure(env, { ...requests.aws('hanging'), timeout_seconds: 5 });
    const terminal = new Terminal(env);
    await terminal.answer('What do you want to mint?');
    await terminal.answer('Mint it?');
    await terminal.see('✘ timeout');
    await terminal.prompt('What now?');
    expect(await terminal.bytes('What now?')).toMatch(/minting, [1-4] s of 5 s/);
  });

  it('is written over, not filled, while one moves through a long list', async () => {
    const terminal = new Terminal(environment(), narrow);
    await pick(terminal, 'aws');
    await terminal.answer('Credential key', 'idp:aws:prod');
    await terminal.answer('Role ARN', requests.aws().role_arn);
    await terminal.prompt('More options');
    for (let at = 0; at < 13; at += 1) terminal.key('Down');
    const text = await terminal.see(/^❯◯ Reason$/m);
    expect(text.match(/More options/g)).toHaveLength(1);
    expect(text.match(/Region/g)).toHaveLength(1);
  });

  it('gets no colour where NO_COLOR is set', async () => {
    const env = environment({ NO_COLOR: '1' });
    configure(env, requests.aws('denied'));
    const terminal = new Terminal(env);
    await terminal.answer('What do you want to mint?');
    await terminal.answer('Mint it?');
    await terminal.prompt('What now?');
    expect(await terminal.bytes('What now?')).not.toMatch(/\u001b\[[0-9;]*m/);
  });

  it('gets ASCII alone where the locale has no more', async () => {
    for (const more of [{ LANG: 'C' }, { TERM: 'dumb' }]) {
      const env = environment(more);
      configure(env, requests.azure());
      const terminal = new Terminal(env);
      await terminal.answer('What do you want to mint?');
      await terminal.answer('Mint it?');
      expect(await terminal.exitStatus()).toBe(0);
      expect(await terminal.bytes('exit status')).toMatch(/^[\x00-\x7f]*$/);
    }
  });

  it('may be dumb, and still takes Backspace', async () => {
    const terminal = new Terminal(environment({ TERM: 'dumb' }));
    await pick(terminal, 'gcp');
    await terminal.prompt('Credential key');
    terminal.type('idp:gcpX');
    terminal.key('BSpace', 'Enter');
    await terminal.prompt('Service account');
    expect(terminal.text()).toContain('Credential key idp:gcp\n');
  });

  it('is required: without one the hint is `mint`', async () => {
    const ran = spawnSync(process.execPath, [join(root, 'bin', 'cloud-cli.js'), 'wizard'], {
      env: environment(),
      encoding: 'utf8',
    });
    expect(ran.status).toBe(2);
    expect(ran.stderr).toMatch(/^cloud-cli: error: invalid_request: stdin: is not a terminal/);
    expect(ran.stderr).toContain('cloud-cli mint');
  });
});

/** What stands there as one line: a narrow terminal breaks it anywhere between two words. */
function flat(text: string): string {
  return text.replace(/\s+/g, ' ');
}

/** Runs a line as a person would who has `cloud-cli` on PATH. */
function shell(line: string, env: NodeJS.ProcessEnv) {
  const bin = temporaryDirectory();
  symlinkSync(join(root, 'bin', 'cloud-cli.js'), join(bin, 'cloud-cli'));
  return spawnSync('sh', ['-c', line], { env: { ...env, PATH: `${bin}:${env.PATH}` }, encoding: 'utf8' });
}
