/** What `cloud-cli doctor` finds, on real files, permissions, locks and stand-in vendor CLIs. */
import { spawn } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { doctorCommand } from '../src/cli/doctor.js';
import { ExitStatus, type Io } from '../src/cli/io.js';
import { nodeFinding } from '../src/doctor/node.js';
import { type DoctorOptions, diagnose, exitStatusOf, type Finding } from '../src/doctor.js';
import { mint, openAuditStore, openCredentialStore } from '../src/index.js';
import { identitiesIn, newIdentityFile, recipientsOf } from '../src/stores/age-file.js';
import { vault } from './stores/services.js';
import {
  fixturePath,
  isAlive,
  providers,
  recorded,
  requests,
  root,
  temporaryDirectory,
  until,
} from './support.js';

const isRoot = process.geteuid?.() === 0;

interface Host {
  /** HOME of the vendor CLIs. */
  user: string;
  /** Home of cloud-cli. */
  home: string;
  env: NodeJS.ProcessEnv;
  put(path: string, text: string, mode?: number): string;
  diagnose(options?: Partial<DoctorOptions>): Promise<Finding[]>;
}

/** A host on which nothing was minted yet. */
function newHost(more: NodeJS.ProcessEnv = {}): Host {
  const user = temporaryDirectory();
  const home = join(user, 'cloud-cli');
  const env: NodeJS.ProcessEnv = { PATH: fixturePath, HOME: user, CLOUD_CLI_HOME: home, ...more };
  return {
    user,
    home,
    env,
    put(path, text, mode = 0o600) {
      const file = join(user, path);
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
      writeFileSync(file, text);
      chmodSync(file, mode);
      return file;
    },
    diagnose: (options = {}) => diagnose({ env, signal: new AbortController().signal, ...options }),
  };
}

/** A host on which a credential was minted. */
async function usedHost(more: NodeJS.ProcessEnv = {}): Promise<Host> {
  const host = newHost(more);
  const audit = await openAuditStore(`sqlite:${join(host.home, 'audit.sqlite')}`);
  const store = await openCredentialStore(`file:${join(host.home, 'credentials')}`);
  await mint(requests.aws(), { audit, persist: store.persist, env: host.env });
  await audit.close();
  await store.close();
  return host;
}

/** Everything below a directory: path, mode and, of files, content. */
function treeOf(directory: string): unknown[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .toSorted()
    .map((name) => {
      const path = join(directory, name);
      const { mode } = statSync(path);
      return [relative(directory, path), mode, statSync(path).isFile() ? readFileSync(path, 'hex') : ''];
    });
}

function of(findings: Finding[], check: string): Finding {
  const found = findings.filter((finding) => finding.check === check);
  expect([check, found.length]).toEqual([check, 1]);
  return found[0]!;
}

const unwell = (findings: Finding[]) => findings.filter(({ status }) => status !== 'ok');

/** An executable in a directory of its own, which stands first on PATH. */
function withTool(host: Host, name: string, script: string): string {
  const file = host.put(`tools/${name}`, script, 0o755);
  chmodSync(dirname(file), 0o755);
  host.env.PATH = `${dirname(file)}:${fixturePath}`;
  return file;
}

/** PATH with node on it, and no vendor CLI. */
function withoutTools(host: Host): string {
  const directory = join(host.user, 'bin');
  mkdirSync(directory);
  symlinkSync(process.execPath, join(directory, 'node'));
  host.env.PATH = directory;
  return directory;
}

/** Runs the command itself, with streams of its own. */
async function run(host: Host, ...args: string[]) {
  const io: Io = {
    stdin: new PassThrough(),
    stdout: new PassThrough(),
    stderr: new PassThrough(),
    env: host.env,
  };
  const command = doctorCommand(io).exitOverride();
  const status = await command.parseAsync(args, { from: 'user' }).then(
    () => 0,
    (error: unknown) => {
      if (error instanceof ExitStatus) return error.status;
      throw error;
    },
  );
  const read = async (stream: unknown) => text((stream as PassThrough).end());
  return { status, stdout: await read(io.stdout), stderr: await read(io.stderr) };
}

describe('doctor, where all is well', () => {
  it('finds every part of a used host in order, and changes nothing', async () => {
    const host = await usedHost();
    const before = treeOf(host.user);
    const findings = await host.diagnose({ live: true });
    expect(unwell(findings)).toEqual([]);
    expect(exitStatusOf(findings)).toBe(0);
    expect(findings.map(({ check }) => check)).toEqual([
      'node',
      'configuration',
      'home',
      'ledger',
      'store',
      ...providers.flatMap((name) =>
        ['binary', 'version', 'settings', 'files', 'identity'].map((check) => `${name}.${check}`),
      ),
    ]);
    expect(of(findings, 'ledger').message).toContain('verified, events: 3');
    expect(of(findings, 'store').message).toContain('kept, read back and removed');
    expect(of(findings, 'aws.binary').message).toMatch(
      /fixtures\/bin\/aws, owner .+, mode 0\d{3}, sha256 [0-9a-f]{64}$/,
    );
    expect(of(findings, 'aws.version').message).toContain('aws-cli/1.45.11');
    expect(of(findings, 'gcp.version').message).toBe('Google Cloud SDK 528.0.0');
    expect(of(findings, 'azure.version').message).toBe('2.54.0');
    expect(treeOf(host.user)).toEqual(before);
  });

  it('leaves a fresh host as fresh as it was', async () => {
    const host = newHost();
    const findings = await host.diagnose();
    expect(unwell(findings)).toEqual([]);
    for (const check of ['home', 'ledger', 'store'])
      expect(of(findings, check).message).toContain('is not there yet; the first mint makes it');
    expect(treeOf(host.user)).toEqual([]);
  });

  it('leaves a store without an identity as it is, since a first persist would make one that must stay', async () => {
    const host = newHost();
    mkdirSync(join(host.home, 'credentials'), { recursive: true, mode: 0o700 });
    chmodSync(host.home, 0o700);
    expect(unwell(await host.diagnose())).toEqual([]);
    expect(readdirSync(join(host.home, 'credentials'))).toEqual([]);
  });

  it('writes and does not read where the host has recipients only, and says so', async () => {
    const [recipient] = await recipientsOf(identitiesIn(await newIdentityFile()));
    const host = newHost({ CLOUD_CLI_AGE_RECIPIENTS: recipient });
    mkdirSync(join(host.home, 'credentials'), { recursive: true, mode: 0o700 });
    chmodSync(host.home, 0o700);
    const { status, message } = of(await host.diagnose(), 'store');
    expect([status, message]).toEqual(['ok', expect.stringContaining('not read back')]);
    expect(readdirSync(join(host.home, 'credentials'))).toEqual([]);
  });

  it('has two at a time not meet', async () => {
    const host = await usedHost();
    const before = treeOf(join(host.home, 'credentials'));
    const both = await Promise.all([host.diagnose(), host.diagnose()]);
    expect(both.flatMap(unwell)).toEqual([]);
    expect(treeOf(join(host.home, 'credentials'))).toEqual(before);
  });

  it('asks the CLIs for their version alone, unless the parent identity is asked for too', async () => {
    const host = newHost();
    host.env.FIXTURE_RECORD = join(host.user, 'record');
    const asked = () =>
      recorded(host.env.FIXTURE_RECORD!).toSorted((left, right) =>
        left.argv.join() < right.argv.join() ? -1 : 1,
      );
    await host.diagnose();
    expect(asked().map(({ argv }) => argv.join(' '))).toEqual([
      'aws --version',
      'az version --output=json',
      'gcloud --version',
    ]);
    host.env.FIXTURE_RECORD = join(host.user, 'record-live');
    await host.diagnose({ live: true, provider: 'aws' });
    expect(asked().map(({ argv }) => argv.join(' '))).toEqual([
      'aws --version',
      'aws sts get-caller-identity --output=json',
    ]);
    for (const { env } of asked()) {
      expect(env.AWS_CLI_HISTORY_FILE).toBe('/');
      expect(env.CLOUD_CLI_HOME).toBeUndefined();
    }
  });
});

describe('doctor on this host’s own parts', () => {
  it('knows the Node.js that the package asks for', () => {
    expect(nodeFinding('20.18.3').status).toBe('problem');
    expect(nodeFinding('18.20.0').status).toBe('problem');
    expect(['20.19.0', '22.1.0', '24.0.0'].map((version) => nodeFinding(version).status)).toEqual(
      Array(3).fill('ok'),
    );
  });

  it('names what is wrong in the configuration, and looks at the CLIs all the same', async () => {
    const host = newHost();
    host.put('cloud-cli/config.json', '{"audit_url": 1}');
    const findings = await host.diagnose();
    expect(of(findings, 'configuration')).toMatchObject({ status: 'problem' });
    expect(of(findings, 'configuration').message).toContain('audit_url');
    expect(of(findings, 'configuration').hint).toContain('were not checked');
    expect(findings.map(({ check }) => check)).not.toContain('ledger');
    expect(of(findings, 'aws.version').status).toBe('ok');
    expect(exitStatusOf(findings)).toBe(2);
  });

  it('refuses a configuration that others can change, for it holds the allow rules', async () => {
    const host = newHost();
    host.put('cloud-cli/config.json', '{}', 0o666);
    const findings = await host.diagnose();
    expect(of(findings, 'configuration')).toMatchObject({
      status: 'problem',
      hint: `Run: chmod go-w ${join(host.home, 'config.json')}`,
    });
    expect(exitStatusOf(findings)).toBe(2);
  });

  it('warns of a home that others can look into, and refuses one that they can change', async () => {
    const host = await usedHost();
    chmodSync(host.home, 0o755);
    const seen = await host.diagnose();
    expect(of(seen, 'home')).toMatchObject({ status: 'warning', hint: `Run: chmod 700 ${host.home}` });
    expect(exitStatusOf(seen)).toBe(0);
    chmodSync(host.home, 0o770);
    const changeable = await host.diagnose();
    expect(of(changeable, 'home')).toMatchObject({
      status: 'problem',
      hint: `Run: chmod go-w ${host.home}`,
    });
    expect(exitStatusOf(changeable)).toBe(2);
  });

  it('refuses a home that is a file, or lies below one', async () => {
    const host = newHost();
    host.put('cloud-cli', 'a file');
    expect(of(await host.diagnose(), 'home').message).toContain('is not a directory');
    host.env.CLOUD_CLI_HOME = join(host.home, 'below');
    expect(of(await host.diagnose(), 'home').message).toContain(`cannot be made in ${host.home}`);
  });

  it('needs no home where the ledger and the store are elsewhere', async () => {
    const host = newHost({ CLOUD_CLI_HOME: '/proc/nowhere' });
    const findings = await host.diagnose();
    expect(of(findings, 'home')).toMatchObject({ status: 'problem' });
    expect(of(findings, 'ledger')).toMatchObject({ status: 'problem' });
    expect(of(findings, 'store')).toMatchObject({ status: 'problem' });
    host.env.CLOUD_CLI_AUDIT_URL = `sqlite:${join(host.user, 'audit.sqlite')}`;
    host.env.CLOUD_CLI_STORE_URL = `file:${join(host.user, 'credentials')}`;
    expect(unwell(await host.diagnose())).toEqual([]);
  });

  it.runIf(isRoot)('refuses a home of another user', async () => {
    const host = await usedHost();
    chownSync(host.home, 4242, 4242);
    expect(of(await host.diagnose(), 'home')).toMatchObject({
      status: 'problem',
      message: expect.stringContaining('belongs to user 4242'),
      hint: `Run: chown 0 ${host.home}`,
    });
  });
});

describe('doctor on the ledger', () => {
  const ledgerOf = (host: Host) => join(host.home, 'audit.sqlite');

  it('refuses one that others can open, as a mint would', async () => {
    const host = await usedHost();
    chmodSync(ledgerOf(host), 0o644);
    const findings = await host.diagnose();
    expect(of(findings, 'ledger')).toMatchObject({
      status: 'problem',
      hint: `Run: chmod 600 ${ledgerOf(host)}`,
    });
    expect(exitStatusOf(findings)).toBe(9);
  });

  it('refuses one that is no database', async () => {
    const host = newHost();
    host.put('cloud-cli/audit.sqlite', 'no database, '.repeat(100));
    const findings = await host.diagnose();
    expect(of(findings, 'ledger').message).toContain('is not a SQLite database');
    expect(exitStatusOf(findings)).toBe(9);
  });

  it('refuses one that somebody edited', async () => {
    const host = await usedHost();
    const db = new Database(ledgerOf(host));
    db.exec("DROP TRIGGER event_is_not_updated; UPDATE event SET body = replace(body, 'deploy', 'admin')");
    db.close();
    const findings = await host.diagnose();
    expect(of(findings, 'ledger').message).toContain('does not verify: event 1 was changed');
    expect(exitStatusOf(findings)).toBe(9);
  });

  it('refuses a directory in which others could put another ledger in its place', async () => {
    const host = await usedHost();
    const shared = join(host.user, 'shared');
    mkdirSync(shared);
    host.env.CLOUD_CLI_AUDIT_URL = `sqlite:${join(shared, 'audit.sqlite')}`;
    await (await openAuditStore(host.env.CLOUD_CLI_AUDIT_URL)).close();
    chmodSync(shared, 0o777);
    const findings = await host.diagnose();
    expect(of(findings, 'ledger').message).toContain(`directory ${shared} can be changed by other users`);
    expect(exitStatusOf(findings)).toBe(9);
  });

  /** Another process that opens the ledger, runs `sql` and stays. */
  async function holdLedger(host: Host, sql: string): Promise<number> {
    const code = `const db = new (require('better-sqlite3'))(process.argv[1]);
      db.exec(process.argv[2]); console.log('held'); setInterval(() => {}, 1e6)`;
    const child = spawn(process.execPath, ['-e', code, ledgerOf(host), sql], { cwd: root });
    onTestFinished(() => {
      child.kill('SIGKILL');
    });
    let said = '';
    child.stdout.on('data', (chunk) => {
      said += chunk;
    });
    await until(() => said.includes('held'));
    return child.pid!;
  }

  const locking = it.runIf(existsSync('/proc/locks'));

  locking('names the process that keeps others from writing, and none that merely reads', async () => {
    const host = await usedHost();
    await holdLedger(host, 'SELECT count(*) FROM event');
    expect(of(await host.diagnose({ provider: 'aws' }), 'ledger').status).toBe('ok');
    const writer = await holdLedger(host, 'BEGIN IMMEDIATE');
    const findings = await host.diagnose({ provider: 'aws' });
    const { message, hint } = of(findings, 'ledger');
    expect(message).toMatch(new RegExp(` is locked by process ${writer} \\([^,]+\\)$`));
    expect(hint).toContain(`ps -fp ${writer}\``);
    expect(exitStatusOf(findings)).toBe(9);
  });

  locking('names the process that keeps others out altogether', async () => {
    const host = await usedHost();
    const holder = await holdLedger(host, 'PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
    const { message } = of(await host.diagnose({ provider: 'aws' }), 'ledger');
    expect(message).toContain(` is locked by process ${holder} (`);
  });

  it('refuses a URL that it does not know', async () => {
    const host = newHost({ CLOUD_CLI_AUDIT_URL: 'mysql://h/x' });
    expect(exitStatusOf(await host.diagnose())).toBe(9);
  });
});

describe('doctor on the store', () => {
  it('keeps a canary in a store on the network, and removes it', async () => {
    const service = await vault();
    onTestFinished(() => void service.close());
    const CLOUD_CLI_STORE_URL = `vault+${service.url}/secret/cloud-cli`;
    const host = newHost({ CLOUD_CLI_STORE_URL });
    process.env.VAULT_TOKEN = service.root;
    onTestFinished(() => void delete process.env.VAULT_TOKEN);
    expect(of(await host.diagnose(), 'store')).toMatchObject({
      status: 'ok',
      message: `${CLOUD_CLI_STORE_URL}: a canary was kept, read back and removed`,
    });
    expect(service.secrets.size).toBe(0);
    service.be('sealed');
    expect(of(await host.diagnose(), 'store')).toMatchObject({
      status: 'problem',
      message: expect.stringContaining('is busy (HTTP 503)'),
      hint: 'Unseal it: vault operator unseal.',
    });
  });

  const directoryOf = (host: Host) => join(host.home, 'credentials');

  it('refuses a directory that is open to others, as a mint would', async () => {
    const host = await usedHost();
    chmodSync(directoryOf(host), 0o755);
    const findings = await host.diagnose();
    expect(of(findings, 'store').hint).toContain(`chmod 700 ${directoryOf(host)}`);
    expect(exitStatusOf(findings)).toBe(8);
  });

  it('refuses one that keeps nothing', async () => {
    const host = newHost({ CLOUD_CLI_STORE_URL: 'none:' });
    const findings = await host.diagnose();
    expect(of(findings, 'store').message).toContain('every mint fails');
    expect(exitStatusOf(findings)).toBe(8);
  });

  it('refuses a damaged identity without showing it, and leaves no canary behind', async () => {
    const host = await usedHost();
    const secret = `AGE-SECRET-${'KEY'}-1${'Q'.repeat(30)}`;
    writeFileSync(join(directoryOf(host), 'identity.txt'), `${secret}\n`);
    const before = treeOf(host.home);
    const findings = await host.diagnose();
    expect(of(findings, 'store').status).toBe('problem');
    expect(JSON.stringify(findings)).not.toContain(secret);
    expect(exitStatusOf(findings)).toBe(8);
    expect(treeOf(host.home)).toEqual(before);
  });

  it('refuses recipients that are none', async () => {
    const host = newHost({ CLOUD_CLI_AGE_RECIPIENTS: 'age1nobody' });
    expect(exitStatusOf(await host.diagnose())).toBe(8);
  });
});

describe('doctor on a vendor CLI’s binary', () => {
  it('warns where one is missing that nobody needs', async () => {
    const host = newHost();
    const directory = withoutTools(host);
    symlinkSync(join(root, 'fixtures/bin/aws'), join(directory, 'aws'));
    const findings = await host.diagnose();
    expect(unwell(findings).map(({ check, status }) => [check, status])).toEqual([
      ['gcp.binary', 'warning'],
      ['azure.binary', 'warning'],
    ]);
    expect(of(findings, 'gcp.binary').hint).toContain('which gcloud');
    expect(exitStatusOf(findings)).toBe(0);
  });

  it('refuses where none is there at all', async () => {
    const host = newHost();
    withoutTools(host);
    const findings = await host.diagnose();
    expect(of(findings, 'providers')).toMatchObject({ status: 'problem' });
    expect(exitStatusOf(findings)).toBe(4);
  });

  it('refuses where one is missing that a target or the caller needs', async () => {
    const host = newHost();
    withoutTools(host);
    const asked = await host.diagnose({ provider: 'azure' });
    expect([unwell(asked).map(({ check }) => check), exitStatusOf(asked)]).toEqual([['azure.binary'], 4]);
    host.put('cloud-cli/config.json', JSON.stringify({ targets: { prod: requests.gcp() } }));
    const targeted = await host.diagnose();
    expect(targeted.filter(({ status }) => status === 'problem').map(({ check }) => check)).toEqual([
      'gcp.binary',
    ]);
    expect(exitStatusOf(targeted)).toBe(4);
  });

  it('tells why one on PATH is left out', async () => {
    const host = newHost();
    const directory = withoutTools(host);
    writeFileSync(join(directory, 'aws'), '#!/bin/sh\n', { mode: 0o644 });
    const { message } = of(await host.diagnose({ provider: 'aws' }), 'aws.binary');
    expect(message).toContain(`the one in ${directory} is left out: it is not executable`);
  });

  it('refuses one that anybody can change, and warns where a group can', async () => {
    const host = newHost();
    const script = `#!/bin/sh\nexec ${join(root, 'fixtures/bin/aws')} "$@"\n`;
    const file = withTool(host, 'aws', script);
    chmodSync(file, 0o757);
    const anybody = await host.diagnose({ provider: 'aws' });
    expect(of(anybody, 'aws.binary')).toMatchObject({ status: 'problem', hint: `Run: chmod go-w ${file}` });
    expect(of(anybody, 'aws.binary').message).toContain('can be changed by anybody');
    expect(exitStatusOf(anybody)).toBe(4);
    // What a mint would not run is not run to ask its version.
    expect(anybody.some(({ check }) => check === 'aws.version')).toBe(false);
    chmodSync(file, 0o775);
    expect(of(await host.diagnose({ provider: 'aws' }), 'aws.binary').status).toBe('warning');
  });

  it('follows a link to the real one, and refuses a directory in which anybody could replace it', async () => {
    const host = newHost();
    const real = host.put('lib/aws', `#!/bin/sh\nexec ${join(root, 'fixtures/bin/aws')} "$@"\n`, 0o755);
    chmodSync(dirname(real), 0o777);
    const link = withTool(host, 'other', '');
    symlinkSync(real, join(dirname(link), 'aws'));
    const { status, message } = of(await host.diagnose({ provider: 'aws' }), 'aws.binary');
    expect(status).toBe('problem');
    expect(message).toContain(`${join(dirname(link), 'aws')} -> ${real}`);
    expect(message).toContain(`${dirname(real)} lets anybody put another file there`);
  });

  it('refuses one that is not the pinned one, and shows the hash to pin', async () => {
    const host = newHost();
    const pin = (sha256: string) =>
      host.put('cloud-cli/config.json', JSON.stringify({ binaries: { aws: { sha256 } } }));
    pin('a'.repeat(64));
    const findings = await host.diagnose({ provider: 'aws' });
    expect([of(findings, 'aws.binary').status, exitStatusOf(findings)]).toEqual(['problem', 4]);
    pin(/sha256 ([0-9a-f]{64})/.exec(of(findings, 'aws.binary').message)![1]!);
    expect(of(await host.diagnose({ provider: 'aws' }), 'aws.binary').status).toBe('ok');
  });

  it('warns where anybody can write a directory further up', async () => {
    const host = newHost();
    const file = host.put('open/tools/aws', '#!/bin/sh\necho aws-cli/9\n', 0o755);
    chmodSync(dirname(file), 0o755);
    chmodSync(dirname(dirname(file)), 0o777);
    host.env.PATH = `${dirname(file)}:${fixturePath}`;
    expect(of(await host.diagnose({ provider: 'aws' }), 'aws.binary')).toMatchObject({
      status: 'warning',
      message: expect.stringContaining(`${dirname(dirname(file))} can be changed`),
    });
  });

  it.runIf(isRoot)('warns of one that another user owns', async () => {
    const host = newHost();
    chownSync(withTool(host, 'aws', '#!/bin/sh\necho aws-cli/9\n'), 4242, 4242);
    expect(of(await host.diagnose({ provider: 'aws' }), 'aws.binary')).toMatchObject({
      status: 'warning',
      message: expect.stringContaining('belongs to user 4242'),
    });
  });

  it('tells one that cannot start from one that fails, and one that hangs', async () => {
    const host = newHost();
    withTool(host, 'aws', '#!/nonexistent/python\n');
    const unstartable = await host.diagnose({ provider: 'aws' });
    expect(of(unstartable, 'aws.version').message).toContain('could not be started (ENOENT)');
    expect(exitStatusOf(unstartable)).toBe(4);
    withTool(host, 'aws', '#!/bin/sh\necho broken >&2\nexit 3\n');
    const failing = await host.diagnose({ provider: 'aws' });
    expect(of(failing, 'aws.version').message).toContain('exited with status 3: broken');
    expect(exitStatusOf(failing)).toBe(2);
    withTool(host, 'aws', '#!/bin/sh\nexec sleep 60\n');
    const hanging = await host.diagnose({ provider: 'aws', timeout_seconds: 1 });
    expect(of(hanging, 'aws.version').message).toContain('did not finish within 1 s and was ended');
    withTool(host, 'aws', '#!/bin/sh\nexit 0\n');
    expect(of(await host.diagnose({ provider: 'aws' }), 'aws.version').message).toBe(
      'aws does not tell its version',
    );
  });
});

describe('doctor on the operator’s own settings', () => {
  const gcloud = '.config/gcloud/configurations/config_default';
  it.each([
    ['aws', '.aws/config', '[default]\ncli_history = enabled\n', 'warning'],
    ['aws', '.aws/config', '[profile prod]\nregion=eu-west-1\noutput: text\n', 'warning'],
    ['aws', '.aws/cli/alias', '[toplevel]\n# mine\nsts = !echo hello\n', 'problem'],
    ['aws', '.aws/cli/alias', '[command sts]\nassume-role = get-caller-identity\n', 'problem'],
    ['gcp', gcloud, '[core]\naccount = a@example.com\nlog_http = True\n', 'warning'],
    ['gcp', gcloud, '[core]\nuser_output_enabled = false\n', 'warning'],
    ['gcp', gcloud, '[auth]\nimpersonate_service_account = other@p.iam.gserviceaccount.com\n', 'warning'],
    ['azure', '.azure/config', '[core]\noutput = none\n', 'warning'],
    ['azure', '.azure/config', '[logging]\nenable_log_file = yes\n', 'warning'],
  ])('of %s in %s: %j is a %s', async (provider, path, text, status) => {
    const host = newHost();
    const file = host.put(path, text);
    const findings = await host.diagnose({ provider });
    const found = of(findings, `${provider}.settings`);
    expect(found).toMatchObject({ status, message: expect.stringContaining(`${file}: `) });
    expect(found.hint).toBeTruthy();
    expect(found.message).not.toContain('other@');
    expect(exitStatusOf(findings)).toBe(status === 'problem' ? 2 : 0);
  });

  it.each([
    ['aws', '.aws/config', '[default]\ncli_history = disabled\noutput = json\n  cli_history = enabled\n'],
    ['aws', '.aws/config', '[default]\n# cli_history = enabled\n; output = text\n'],
    ['aws', '.aws/cli/alias', '[toplevel]\nwhoami = sts get-caller-identity\n[other]\nsts = x\n'],
    ['gcp', gcloud, '[core]\nlog_http = false\nuser_output_enabled = true\n[other]\nlog_http = true\n'],
    ['gcp', '.config/gcloud/configurations/config_other', '[core]\nlog_http = true\n'],
    ['azure', '.azure/config', '[core]\noutput = jsonc\n[logging]\nenable_log_file = no\n'],
  ])('of %s in %s: %j is fine', async (provider, path, text) => {
    const host = newHost();
    host.put(path, text);
    expect(unwell(await host.diagnose({ provider }))).toEqual([]);
  });

  it('are looked for where the environment says, and beaten by it', async () => {
    const host = newHost();
    const config = host.put('elsewhere/config', '[default]\ncli_history = enabled\noutput = text\n');
    host.env.AWS_CONFIG_FILE = '~/elsewhere/config';
    host.env.AWS_DEFAULT_OUTPUT = 'json';
    const { message } = of(await host.diagnose({ provider: 'aws' }), 'aws.settings');
    expect(message).toContain(`${config}: cli_history in [default]`);

    host.env.CLOUDSDK_CONFIG = join(host.user, 'gc');
    host.put('gc/active_config', 'work');
    host.put('gc/configurations/config_work', '[core]\nlog_http = true\n');
    expect(of(await host.diagnose({ provider: 'gcp' }), 'gcp.settings').message).toContain('config_work: ');
    host.env.CLOUDSDK_CORE_LOG_HTTP = 'false';
    host.env.CLOUDSDK_CORE_USER_OUTPUT_ENABLED = 'false';
    expect(of(await host.diagnose({ provider: 'gcp' }), 'gcp.settings')).toMatchObject({
      message: expect.stringContaining('CLOUDSDK_CORE_USER_OUTPUT_ENABLED in the environment'),
      hint: expect.stringContaining('Unset CLOUDSDK_CORE_USER_OUTPUT_ENABLED'),
    });
    host.env.CLOUDSDK_ACTIVE_CONFIG_NAME = 'default';
    delete host.env.CLOUDSDK_CORE_LOG_HTTP;
    delete host.env.CLOUDSDK_CORE_USER_OUTPUT_ENABLED;
    expect(of(await host.diagnose({ provider: 'gcp' }), 'gcp.settings').status).toBe('ok');
  });

  it.each([
    ['aws', '.aws/credentials', '[default]\n'],
    ['aws', '.aws/config', '[default]\naws_secret_access_key = fake\n'],
    ['aws', '.aws/cli/history/history.db', 'kept'],
    ['gcp', '.config/gcloud/credentials.db', 'kept'],
    ['gcp', '.config/gcloud/application_default_credentials.json', '{}'],
    ['azure', '.azure/msal_token_cache.json', '{}'],
    ['azure', '.azure/service_principal_entries.json', '{}'],
  ])('must be for one user only: %s credentials in %s', async (provider, path, text) => {
    const host = newHost();
    const file = host.put(path, text, 0o640);
    const findings = await host.diagnose({ provider });
    expect(of(findings, `${provider}.files`)).toMatchObject({
      status: 'problem',
      hint: `Run: chmod 600 ${file}`,
    });
    expect(exitStatusOf(findings)).toBe(2);
    chmodSync(file, 0o600);
    expect(of(await host.diagnose({ provider }), `${provider}.files`).status).toBe('ok');
  });

  it('may be readable where they hold no secret, but not changeable', async () => {
    const host = newHost();
    const file = host.put('.aws/config', '[default]\nregion = eu-west-1\n', 0o644);
    expect(of(await host.diagnose({ provider: 'aws' }), 'aws.files').status).toBe('ok');
    chmodSync(file, 0o664);
    expect(of(await host.diagnose({ provider: 'aws' }), 'aws.files')).toMatchObject({
      status: 'problem',
      hint: `Run: chmod go-w ${file}`,
    });
  });

  it('may be a device', async () => {
    const host = newHost({ AWS_CONFIG_FILE: '/dev/null', AWS_SHARED_CREDENTIALS_FILE: '/dev/null' });
    expect(unwell(await host.diagnose({ provider: 'aws' }))).toEqual([]);
  });
});

describe('doctor --live', () => {
  it.each(providers)('names the parent identity of %s', async (provider) => {
    const { status, message } = of(
      await newHost().diagnose({ provider, live: true }),
      `${provider}.identity`,
    );
    expect(status).toBe('ok');
    expect(message).toMatch(/^the parent is \S*operator/);
    // Only aws asks its cloud.
    expect(message.includes('only a mint tells')).toBe(provider !== 'aws');
  });

  it.each(providers)('refuses where %s has no login, and says how to get one', async (provider) => {
    const host = newHost({ FIXTURE_PARENT: 'not-logged-in' });
    const findings = await host.diagnose({ provider, live: true });
    expect(of(findings, `${provider}.identity`)).toMatchObject({ status: 'problem' });
    expect(of(findings, `${provider}.identity`).hint).toMatch(/log the|log in|az login/i);
    expect(exitStatusOf(findings)).toBe(2);
  });

  it('needs a login only where the targets do', async () => {
    const host = newHost({ FIXTURE_PARENT: 'not-logged-in' });
    host.put('cloud-cli/config.json', JSON.stringify({ targets: { prod: requests.gcp() } }));
    chmodSync(host.home, 0o700);
    const findings = await host.diagnose({ live: true });
    expect(unwell(findings).map(({ check, status }) => [check, status])).toEqual([
      ['aws.identity', 'warning'],
      ['gcp.identity', 'problem'],
      ['azure.identity', 'warning'],
    ]);
  });

  it('does not take a list of logins for the parent where the environment brings its own', async () => {
    const host = newHost({ CLOUDSDK_AUTH_ACCESS_TOKEN_FILE: '/run/token', FIXTURE_PARENT: 'not-logged-in' });
    const findings = await host.diagnose({ provider: 'gcp', live: true });
    expect(of(findings, 'gcp.identity')).toMatchObject({
      status: 'warning',
      message: expect.stringContaining('CLOUDSDK_AUTH_ACCESS_TOKEN_FILE'),
    });
  });

  it.each(['empty', 'truncated', 'junk-before', 'signal', 'hanging', 'stubborn'])(
    'refuses an answer that is %s',
    async (word) => {
      const host = newHost({ FIXTURE_PARENT: word });
      const findings = await host.diagnose({ provider: 'aws', live: true, timeout_seconds: 3 });
      expect(of(findings, 'aws.identity').status).toBe('problem');
    },
  );

  it('ends with its caller, and takes the CLI with it', async () => {
    const host = newHost({ FIXTURE_PARENT: 'hanging' });
    host.env.FIXTURE_RECORD = join(host.user, 'record');
    const controller = new AbortController();
    const ended = host.diagnose({ provider: 'aws', live: true, signal: controller.signal });
    await until(() => recorded(host.env.FIXTURE_RECORD!).length === 2);
    controller.abort();
    await expect(ended).rejects.toMatchObject({ code: 'cancelled' });
    const { pid } = recorded(host.env.FIXTURE_RECORD!)[1]!;
    await until(() => !isAlive(pid));
    expect(existsSync(host.home)).toBe(false);
  });

  it('shows no secret that a CLI prints, and no line of its own making', async () => {
    const host = newHost();
    const canary = `canary${'x1Y2z3W4'.repeat(8)}`;
    const token = `${'ya'}29.c.${canary}`;
    withTool(
      host,
      'gcloud',
      `#!/bin/sh
if [ "$1" = --version ]; then printf 'Google Cloud SDK 1\\033[31m token=${token}\\nsecond\\n'; exit 0; fi
printf 'DEBUG Authorization: Bearer ${token}\\nok       ledger  forged\\n' >&2
exit 1
`,
    );
    const { stdout, stderr, status } = await run(host, '--provider', 'gcp', '--live');
    expect(stdout).not.toContain(canary);
    expect(stdout).not.toContain('\u001b');
    expect(stdout).not.toMatch(/^ok {7}ledger {2}forged/m);
    expect([stderr, status]).toEqual(['', 2]);
  });
});

describe('the doctor command', () => {
  it('prints one line a finding, its hint on the next, and nothing on stderr', async () => {
    const host = newHost();
    withoutTools(host);
    const { stdout, stderr, status } = await run(host, '--provider', 'aws');
    const lines = stdout.trimEnd().split('\n');
    expect(lines.slice(0, -1).map((line) => line.slice(0, 22))).toEqual([
      'ok       node         ',
      'ok       configuration',
      'ok       home         ',
      'ok       ledger       ',
      'ok       store        ',
      'problem  aws.binary   ',
    ]);
    expect(lines.at(-1)).toMatch(/^ {24}hint: Install the AWS CLI/);
    expect([stderr, status]).toEqual(['', 4]);
  });

  it('prints one JSON array of rows, also where it fails', async () => {
    const host = newHost();
    withoutTools(host);
    const { stdout, stderr, status } = await run(host, '--json', '--provider', 'aws');
    const rows = JSON.parse(stdout) as Finding[];
    for (const row of rows) {
      const members =
        row.status === 'ok' ? ['check', 'status', 'message'] : ['check', 'status', 'message', 'hint'];
      expect(Object.keys(row)).toEqual(members);
    }
    expect(rows.at(-1)).toMatchObject({ check: 'aws.binary', status: 'problem' });
    expect([stderr, status]).toEqual(['', 4]);
  });

  it('ends with 0 where there are only warnings, and with the first problem’s status where there are more', async () => {
    const host = await usedHost();
    appendFileSync(host.put('.azure/config', '[core]\n'), 'output = table\n');
    expect((await run(host)).status).toBe(0);
    chmodSync(join(host.home, 'audit.sqlite'), 0o644);
    chmodSync(join(host.home, 'credentials'), 0o755);
    host.put('.aws/credentials', '', 0o644);
    expect((await run(host)).status).toBe(9);
    chmodSync(join(host.home, 'audit.sqlite'), 0o600);
    expect((await run(host)).status).toBe(8);
    chmodSync(join(host.home, 'credentials'), 0o700);
    expect((await run(host)).status).toBe(2);
  });
});
