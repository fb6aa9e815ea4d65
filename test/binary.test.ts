/** What is recorded of a vendor CLI, and which is not run. */
import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findBinary } from '../src/binary.js';
import { loadSettings } from '../src/config.js';
import { handlers, mint, openAuditStore, openCredentialStore, preview } from '../src/index.js';
import { provenanceOf } from '../src/provenance.js';
import { isPrivate } from '../src/replaceable.js';
import { newController } from './http/support.js';
import { fixturePath, requests, root, temporaryDirectory } from './support.js';

const isRoot = process.geteuid?.() === 0;
const sha256 = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex');

/** A host with `aws` in a directory of its own, which tells when it was run, and a ledger and a store to mint with. */
async function newHost() {
  const home = realpathSync(temporaryDirectory());
  const directory = join(home, 'tools');
  mkdirSync(directory, { mode: 0o755 });
  const file = join(directory, 'aws');
  const ran = join(home, 'ran');
  writeFileSync(file, `#!/bin/sh\n: >${ran}\nexec ${join(root, 'fixtures/bin/aws')} "$@"\n`);
  chmodSync(file, 0o755);
  const env: NodeJS.ProcessEnv = { PATH: `${directory}:${fixturePath}`, HOME: home };
  const audit = await openAuditStore(`sqlite:${join(home, 'audit.sqlite')}`);
  const store = await openCredentialStore(`file:${join(home, 'credentials')}`);
  return { home, directory, file, env, audit, options: { audit, persist: store.persist, env }, hasRun };
  function hasRun(): boolean {
    return statSync(ran, { throwIfNoEntry: false }) !== undefined;
  }
}

type Host = Awaited<ReturnType<typeof newHost>>;

/** That neither a preview nor a mint takes the binary, that it is not run, and that the row says what was there. */
async function refuses(host: Host, words: string, hint: string, binaries = {}) {
  expect(await preview(requests.aws(), { env: host.env, binaries })).toMatchObject({
    binary_present: true,
    problem: {
      code: 'binary_missing',
      message: expect.stringContaining(words),
      hint: expect.stringContaining(hint),
    },
  });
  const failure = await mint(requests.aws(), { ...host.options, binaries }).catch((error: unknown) => error);
  expect(failure).toMatchObject({
    code: 'binary_missing',
    message: expect.stringContaining(words),
    hint: expect.stringContaining(hint),
    outcome: 'not_issued',
  });
  expect(host.hasRun()).toBe(false);
  const [row] = await host.audit.list();
  expect(row).toMatchObject({ status: 'FAILED', error: { code: 'binary_missing' } });
  return row!;
}

describe('the row of a mint', () => {
  it('has the real file, its owner, mode and hash, from before it is run', async () => {
    const host = await newHost();
    const real = join(host.home, 'real-aws');
    renameSync(host.file, real);
    symlinkSync(real, join(host.home, 'second'));
    symlinkSync('../second', host.file);
    const { audit_run_id } = await mint(requests.aws(), host.options);
    const row = await host.audit.get(audit_run_id);
    expect(row).toMatchObject({
      binary_path: host.file,
      binary_provenance: {
        real_path: real,
        owner: process.geteuid?.(),
        mode: '0755',
        sha256: sha256(real),
      },
    });
    for await (const { body, seq } of host.audit.events())
      expect([seq, body.includes(`"sha256":"${sha256(real)}"`)]).toEqual([seq, seq === 1]);
  });

  it('has none where there was no binary', async () => {
    const host = await newHost();
    const failure = await mint(requests.gcp(), { ...host.options, env: { PATH: '/nonexistent' } }).catch(
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({ code: 'binary_missing' });
    expect((await host.audit.list())[0]).toMatchObject({ binary_path: null, binary_provenance: null });
  });
});

describe('a binary that others could change', () => {
  it('is not run where anybody can write it', async () => {
    const host = await newHost();
    chmodSync(host.file, 0o757);
    const row = await refuses(host, 'it can be changed by anybody', `chmod go-w ${host.file}`);
    expect(row).toMatchObject({ binary_path: host.file, binary_provenance: { mode: '0757' } });
    chmodSync(host.file, 0o755);
    expect(await mint(requests.aws(), host.options)).toMatchObject({ source_identity: expect.any(String) });
    expect(host.hasRun()).toBe(true);
  });

  it('is not run where anybody can write the directory of the real file, or of a link on the way', async () => {
    const host = await newHost();
    const [first, second] = [join(host.home, 'first'), join(host.home, 'second')];
    for (const directory of [first, second]) mkdirSync(directory);
    renameSync(host.file, join(second, 'aws'));
    symlinkSync(join(second, 'aws'), join(first, 'aws'));
    symlinkSync(join(first, 'aws'), host.file);
    for (const directory of [first, second]) {
      chmodSync(directory, 0o777);
      await refuses(host, `${directory} lets anybody`, `chmod o-w ${directory}`);
      // As /tmp is: others can add, and not replace.
      chmodSync(directory, 0o1777);
      expect(await findBinary(handlers.aws, host.env)).not.toHaveProperty('problem');
      chmodSync(directory, 0o755);
    }
  });

  it.runIf(isRoot)('is not run where a group can write it that has others in it', async () => {
    const host = await newHost();
    chownSync(host.file, 0, 4242);
    chmodSync(host.file, 0o775);
    await refuses(host, 'it can be changed by the group 4242', `chmod go-w ${host.file}`);
  });

  it('is run where its group has nobody but its owner in it, as in a clone under umask 002', async () => {
    const host = await newHost();
    if (isRoot) chownSync(host.file, 4242, 4242);
    chmodSync(host.file, 0o775);
    chmodSync(host.directory, 0o775);
    expect(await findBinary(handlers.aws, host.env)).not.toHaveProperty('problem');
  });

  it('is known by its group', () => {
    const groups = 'root:x:0:\nalice:x:1000:\nbob:x:1001:bob\ncarol:x:1002:mallory\nusers:x:100:\n';
    const ofOwner = (uid: number, gid: number) => isPrivate({ uid, gid }, groups);
    expect([ofOwner(0, 0), ofOwner(1000, 0), ofOwner(1000, 1000), ofOwner(1001, 1001)]).toEqual(
      Array(4).fill(true),
    );
    expect(ofOwner(2000, 2000)).toBe(true);
    expect([ofOwner(1002, 1002), ofOwner(1000, 100), ofOwner(0, 1000), ofOwner(1000, 1001)]).toEqual(
      Array(4).fill(false),
    );
  });
});

describe('a pin', () => {
  it('lets the pinned file run, by hash, by path, and by both', async () => {
    const host = await newHost();
    for (const aws of [
      { sha256: sha256(host.file) },
      { path: host.file },
      { sha256: sha256(host.file), path: host.file },
    ]) {
      expect(await preview(requests.aws(), { env: host.env, binaries: { aws } })).not.toHaveProperty(
        'problem',
      );
      await mint(requests.aws(), { ...host.options, binaries: { aws } });
    }
  });

  it('refuses another content, before it is run', async () => {
    const host = await newHost();
    const binaries = { aws: { sha256: 'a'.repeat(64) } };
    const row = await refuses(host, `of SHA-256 ${sha256(host.file)}`, 'pin its new hash', binaries);
    expect(row.binary_provenance?.sha256).toBe(sha256(host.file));
  });

  it('refuses a file that changed since it was pinned, however often it was hashed', async () => {
    const host = await newHost();
    const binaries = { aws: { sha256: sha256(host.file) } };
    for (let time = 0; time < 3; time += 1) await mint(requests.aws(), { ...host.options, binaries });
    const { mtime } = statSync(host.file);
    const changed = readFileSync(host.file, 'utf8').replace('#!/bin/sh', '#!/bin/sH');
    writeFileSync(host.file, changed);
    // Neither the size nor the time of the change tells.
    const { utimesSync } = await import('node:fs');
    utimesSync(host.file, mtime, mtime);
    const failure = await mint(requests.aws(), { ...host.options, binaries }).catch((error) => error);
    expect(failure).toMatchObject({
      code: 'binary_missing',
      message: expect.stringContaining('another file'),
    });
  });

  it('refuses what PATH finds before the pinned path', async () => {
    const host = await newHost();
    const pinned = join(root, 'fixtures/bin/aws');
    await refuses(host, `pins aws to ${pinned}`, 'first on the PATH', { aws: { path: pinned } });
  });

  it('is that of the binary, and of no other', async () => {
    const host = await newHost();
    const binaries = { gcloud: { sha256: 'a'.repeat(64) } };
    await mint(requests.aws(), { ...host.options, binaries });
    expect((await preview(requests.gcp(), { env: host.env, binaries })).problem?.message).toContain('gcloud');
  });

  it('holds over HTTP, as a 503', async () => {
    const { call, spawned } = await newController({ binaries: { aws: { sha256: 'a'.repeat(64) } } });
    const shown = await call('preview', { body: requests.aws() });
    expect(shown.body.problem).toMatchObject({ code: 'binary_missing' });
    const refused = await call('sts', { body: requests.aws() });
    expect([refused.status, refused.body.code, spawned()]).toEqual([503, 'binary_missing', 0]);
    const row = await call(`runs/${refused.body.audit_run_id}`);
    expect(row.body.binary_provenance).toEqual({
      real_path: realpathSync(join(root, 'fixtures/bin/aws')),
      owner: expect.any(Number),
      mode: expect.stringMatching(/^0[0-7]{3}$/),
      sha256: sha256(join(root, 'fixtures/bin/aws')),
    });
  });

  it('is read from the configuration, where a misspelt one holds nothing and is refused', () => {
    const home = temporaryDirectory();
    const settings = (binaries: unknown) => {
      writeFileSync(join(home, 'config.json'), JSON.stringify({ binaries }));
      return loadSettings({ CLOUD_CLI_HOME: home }).binaries;
    };
    const pins = { aws: { sha256: 'a'.repeat(64), path: '/usr/bin/aws' }, az: { path: '/usr/bin/az' } };
    expect(settings(pins)).toEqual(pins);
    for (const [wrong, path] of [
      [{ gcp: { path: '/usr/bin/gcloud' } }, 'binaries.gcp: is not one of aws, gcloud, az'],
      [{ aws: {} }, 'binaries.aws: must have a sha256 or a path'],
      [{ aws: { sha256: 'A'.repeat(64) } }, 'binaries.aws.sha256: must be'],
      [{ aws: { path: 'aws' } }, 'binaries.aws.path: must be'],
      [{ aws: { sha512: '' } }, 'binaries.aws.sha512: is not a setting'],
    ] as const)
      expect(() => settings(wrong)).toThrow(path);
  });
});

describe('a hash', () => {
  it('is taken once of a file that stays as it is, and at the same time by many', async () => {
    const file = join(dirname(process.execPath), 'node');
    const timeOf = async (work: () => Promise<void>) => {
      const began = process.cpuUsage();
      await work();
      const { user, system } = process.cpuUsage(began);
      return (user + system) / 1000;
    };
    const all: Awaited<ReturnType<typeof provenanceOf>>[] = [];
    const first = await timeOf(async () => {
      all.push(...(await Promise.all(Array.from({ length: 20 }, () => provenanceOf(file)))));
    });
    expect(new Set(all.map((each) => each.sha256)).size).toBe(1);
    const again = await timeOf(async () => {
      for (let time = 0; time < 20; time += 1) await provenanceOf(file);
    });
    expect(again).toBeLessThan(Math.max(first, 100));
  });

  it('is of what the file holds now, though it was written within one tick of the clock', async () => {
    const file = join(temporaryDirectory(), 'tool');
    for (let time = 0; time < 20; time += 1) {
      writeFileSync(file, String(time).padStart(4));
      expect((await provenanceOf(file)).sha256).toBe(sha256(file));
    }
    copyFileSync(process.execPath, file);
    expect((await provenanceOf(file)).sha256).toBe(sha256(process.execPath));
  });
});
