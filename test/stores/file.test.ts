/** The file store: what it writes, what it refuses to touch, and what it leaves behind when it fails. */
import { execFileSync, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import {
  appendFile,
  chmod,
  chown,
  link,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  truncate,
  unlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  Encrypter,
  generateHybridIdentity,
  generateX25519Identity,
  identityToRecipient,
  Stanza,
} from 'age-encryption';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, type TestContext } from 'vitest';
import { type Credential, metadataOf, serializeCredential } from '../../src/credential.js';
import { CredentialKey } from '../../src/key.js';
import { openFileStore } from '../../src/stores/file.js';
import { type Compiled, compileFileStore, ended, says, start } from './compiled.js';
import {
  awsCredential,
  azureCredential,
  gcpCredential,
  opened,
  persist,
  secretsOf,
  storeContract,
} from './contract.js';

const key = CredentialKey.parse('idp:aws:prod');
const inCi = process.env.CI === 'true';
const asRoot = process.geteuid?.() === 0;

let parent: string;
let directory: string;
let file: string;
let identityFile: string;

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'cloud-cli-store-'));
  directory = join(parent, 'home dir', 'credentials');
  file = join(directory, 'idp:aws:prod.age');
  identityFile = join(directory, 'identity.txt');
});

afterEach(async () => {
  await rm(parent, { recursive: true, force: true });
});

storeContract('file', async () => {
  const home = await mkdtemp(join(tmpdir(), 'cloud-cli-contract-'));
  return {
    store: await openFileStore(join(home, 'credentials')),
    cleanup: () => rm(home, { recursive: true, force: true }),
  };
});

/** Permission bits, in octal. */
async function mode(path: string): Promise<string> {
  return ((await lstat(path)).mode & 0o7777).toString(8);
}

async function temps(): Promise<string[]> {
  return (await readdir(directory)).filter((name) => name.endsWith('.tmp'));
}

async function withUmask<T>(umask: number, work: () => Promise<T>): Promise<T> {
  const before = process.umask(umask);
  try {
    return await work();
  } finally {
    process.umask(before);
  }
}

/** A store that holds one AWS credential. */
async function filled() {
  const store = await openFileStore(directory);
  const credential = awsCredential(`${key}`);
  await persist(store, credential);
  return { store, credential };
}

/** The failure of `work` as its surface gives it, with the canary that it quotes no secret of `credential`. */
async function failure(work: Promise<unknown>, credential?: Credential) {
  const error = await work.then(
    () => expect.fail('it did not fail'),
    (error) => error,
  );
  expect(error).toMatchObject({ name: 'CloudCliError' });
  expect(error).not.toHaveProperty('cause');
  expect(error.hint).not.toBe('');
  const secrets = credential ? secretsOf(credential) : [];
  for (const secret of [...secrets, 'AGE-SECRET'])
    expect(`${error.stack}${error.hint}`).not.toContain(secret);
  return error.toJSON();
}

function storeUrl(...parts: string[]) {
  const literal = (part: string) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const message = expect.stringMatching(new RegExp(parts.map(literal).join('.*')));
  return { code: 'invalid_request', issues: [{ field: 'store_url', message }] };
}

describe('what it writes', () => {
  for (const umask of [0o000, 0o077, 0o777]) {
    const name = umask.toString(8).padStart(3, '0');
    it(`makes files 0600 under umask ${name}`, async () => {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      await withUmask(umask, filled);
      expect(await mode(file)).toBe('600');
      expect(await mode(identityFile)).toBe('600');
    });
  }

  for (const umask of [0o000, 0o022, 0o077]) {
    const name = umask.toString(8).padStart(3, '0');
    it(`makes the directory and its parents 0700 under umask ${name}`, async () => {
      await withUmask(umask, filled);
      expect(await mode(directory)).toBe('700');
      expect(await mode(join(parent, 'home dir'))).toBe('700');
    });
  }

  it('makes nothing until the first persist', async () => {
    const store = await openFileStore(directory);
    await store.read(key);
    await store.list();
    await store.remove(key);
    expect(await readdir(parent)).toEqual([]);
  });

  it('leaves one file a key and the identity, and no temp file', async () => {
    const { store } = await filled();
    await persist(store, awsCredential(`${key}`));
    await persist(store, gcpCredential('idp:gcp:prod'));
    const names = ['identity.txt', 'idp:aws:prod.age', 'idp:gcp:prod.age'];
    expect((await readdir(directory)).sort()).toEqual(names.sort());
  });

  it('holds no secret in the clear, in no encoding', async () => {
    const { credential } = await filled();
    for (const name of await readdir(directory)) {
      const bytes = await readFile(join(directory, name));
      for (const secret of secretsOf(credential)) {
        for (const encoding of ['base64', 'hex'] as const) {
          expect(bytes.includes(Buffer.from(secret).toString(encoding).slice(4, -4))).toBe(false);
        }
        expect(bytes.includes(secret)).toBe(false);
      }
    }
  });

  it('follows a change of the working directory with the path that it was opened with', async () => {
    const before = process.cwd();
    process.chdir(parent);
    try {
      const store = await openFileStore('relative');
      process.chdir('/');
      await persist(store, awsCredential(`${key}`));
    } finally {
      process.chdir(before);
    }
    expect(await readdir(join(parent, 'relative'))).toContain('idp:aws:prod.age');
  });

  it('refuses a credential that would be larger than it reads', async () => {
    const store = await openFileStore(directory);
    const credential = { ...awsCredential(`${key}`), source_identity: 'x'.repeat(5000) };
    expect(await failure(persist(store, credential), credential)).toMatchObject({ code: 'persist_failed' });
    expect(await store.list()).toEqual([]);
  });

  it('keeps the longest role ARN that a request may have', async () => {
    const store = await openFileStore(directory);
    const source_identity = `arn:aws:iam::123456789012:role/${'"'.repeat(510)}/${'r'.repeat(64)}`;
    const credential = { ...awsCredential(`${key}`), source_identity };
    await persist(store, credential);
    expect(await store.describe(key)).toEqual(metadataOf(credential));
    expect(opened(await store.read(key))).toEqual(opened(credential));
  });
});

describe('with the age binary', () => {
  function needsAge({ skip }: TestContext): void {
    const missing = spawnSync('age-keygen', ['--version']).status !== 0;
    skip(missing && !inCi, 'age is not installed');
  }

  it('is opened by age -d -i identity.txt', async (context) => {
    needsAge(context);
    const { credential } = await filled();
    const text = execFileSync('age', ['-d', '-i', identityFile, file], { encoding: 'utf8' });
    expect(text === serializeCredential(credential)).toBe(true);
  });

  it('makes an identity.txt as age-keygen does', async (context) => {
    needsAge(context);
    await filled();
    const made = execFileSync('age-keygen', { encoding: 'utf8', stdio: 'pipe' });
    const form = (text: string) =>
      text.replace(/(?<=age1|KEY-1)[0-9a-zA-Z]{58}/g, '...').replace(/\d.*[Z\d]$/m, 'TIME');
    expect(form(await readFile(identityFile, 'utf8'))).toBe(form(made));
    const recipient = execFileSync('age-keygen', ['-y', identityFile], { encoding: 'utf8' }).trim();
    expect(await readFile(identityFile, 'utf8')).toContain(`# public key: ${recipient}\n`);
  });

  it('uses an identity.txt that age-keygen made', async (context) => {
    needsAge(context);
    await mkdir(directory, { recursive: true, mode: 0o700 });
    execFileSync('age-keygen', ['-o', identityFile], { stdio: 'pipe' });
    const before = await readFile(identityFile);
    const { store, credential } = await filled();
    expect((await readFile(identityFile)).equals(before)).toBe(true);
    expect(opened(await store.read(key))).toEqual(opened(credential));
  });

  it('encrypts so that age opens it with the identity of each recipient', async (context) => {
    needsAge(context);
    const identities = [await generateX25519Identity(), await generateX25519Identity()];
    const recipients = await Promise.all(identities.map((identity) => identityToRecipient(identity)));
    const store = await openFileStore(directory, { recipients });
    const credential = azureCredential(`${key}`);
    await persist(store, credential);
    for (const input of identities) {
      const text = execFileSync('age', ['-d', '-i', '-', file], { input, encoding: 'utf8' });
      expect(text === serializeCredential(credential)).toBe(true);
    }
  });
});

describe('its identity', () => {
  it('is made once', async () => {
    const { store } = await filled();
    const before = await readFile(identityFile);
    await persist(store, awsCredential(`${key}`));
    await persist(await openFileStore(directory), gcpCredential('idp:gcp:prod'));
    expect((await readFile(identityFile)).equals(before)).toBe(true);
  });

  it('is one, however many persist first at once', async () => {
    const stores = await Promise.all(Array.from({ length: 8 }, () => openFileStore(directory)));
    const credentials = stores.map((_, index) => gcpCredential(`idp:gcp:${index}`));
    await Promise.all(stores.map((store, index) => persist(store, credentials[index]!)));
    for (const credential of credentials) {
      const read = await stores[0]!.read(CredentialKey.parse(credential.credential_key));
      expect(opened(read)).toEqual(opened(credential));
    }
    expect(await temps()).toEqual([]);
  });

  it('is noticed when it was replaced', async () => {
    const { store } = await filled();
    await persist(store, awsCredential(`${key}`));
    const identity = await generateX25519Identity();
    await writeFile(`${identityFile}.new`, `${identity}\n`, { mode: 0o600 });
    await rename(`${identityFile}.new`, identityFile);
    expect(await failure(store.read(key))).toMatchObject(storeUrl(file, 'none of the identities'));
    const credential = awsCredential(`${key}`);
    await persist(store, credential);
    expect(opened(await store.read(key))).toEqual(opened(credential));
  });

  it('is made, or found to be of no use, when the store is asked whether it is ready', async () => {
    const store = await openFileStore(directory);
    await store.ready();
    expect(await readdir(directory)).toEqual(['identity.txt']);
    await writeFile(identityFile, '# nothing\n');
    expect(await failure(store.ready())).toMatchObject({
      code: 'persist_failed',
      message: `${identityFile} holds no age identity`,
    });
    const identity = await generateX25519Identity();
    for (const [at, other] of [
      [20, 'Q'],
      [-1, 'P'],
    ] as const) {
      const typo =
        identity.slice(0, at) + (identity.at(at) === other ? 'Z' : other) + identity.slice(at).slice(1);
      await writeFile(identityFile, `${identity}\n${typo}\n`);
      expect(await failure(store.ready())).toMatchObject({
        code: 'persist_failed',
        message: `${identityFile} holds a line that is not an age identity`,
      });
    }
    await writeFile(identityFile, `${await generateHybridIdentity()}\n${identity}\n`);
    await store.ready();
    const recipients = [await identityToRecipient(identity)];
    await (await openFileStore(directory, { recipients })).ready();
  });

  it('may be several: each opens what is written', async () => {
    const { store, credential: old } = await filled();
    const added = await generateX25519Identity();
    await appendFile(identityFile, `\n# another\r\n  ${added}\r\n`);
    expect(opened(await store.read(key))).toEqual(opened(old));
    const credential = gcpCredential('idp:gcp:prod');
    await persist(store, credential);
    await writeFile(identityFile, added);
    const read = await store.read(CredentialKey.parse('idp:gcp:prod'));
    expect(opened(read)).toEqual(opened(credential));
  });

  it('is refused where a line of it is no identity, without quoting it', async () => {
    const { store } = await filled();
    const broken = (await generateX25519Identity()).replace(/.$/, 'B');
    await writeFile(identityFile, `${broken}\n`);
    for (const work of [() => store.read(key), () => persist(store, awsCredential(`${key}`))]) {
      const { message } = await failure(work());
      expect(message).toMatch(/not an age identity/);
    }
    await writeFile(identityFile, '# nothing\n');
    expect(await failure(persist(store, awsCredential(`${key}`)))).toMatchObject({
      code: 'persist_failed',
      message: `${identityFile} holds no age identity`,
    });
  });

  it('is used though whoever made it died before it removed its other link', async () => {
    const { store, credential } = await filled();
    await link(identityFile, join(directory, `.${randomUUID()}.tmp`));
    expect(opened(await store.read(key))).toEqual(opened(credential));
    expect(await temps()).toEqual([]);
  });
});

describe('with recipients alone', () => {
  it('writes what it cannot read, and makes no identity', async () => {
    const identity = await generateX25519Identity();
    const store = await openFileStore(directory, { recipients: [await identityToRecipient(identity)] });
    const credential = awsCredential(`${key}`);
    await persist(store, credential);
    expect(await readdir(directory)).toEqual(['idp:aws:prod.age']);
    expect(await store.list()).toEqual([metadataOf(credential)]);
    expect(await failure(store.read(key), credential)).toMatchObject({
      ...storeUrl(identityFile, 'missing', 'write credentials but not read them'),
      hint: expect.stringContaining(`chmod 600 '${identityFile}'`),
    });
    await writeFile(identityFile, identity, { mode: 0o600 });
    expect(opened(await store.read(key))).toEqual(opened(credential));
  });

  it('does not encrypt to an identity.txt that is there', async () => {
    await filled();
    const recipient = await identityToRecipient(await generateX25519Identity());
    const store = await openFileStore(directory, { recipients: [recipient] });
    await persist(store, awsCredential(`${key}`));
    expect(await failure(store.read(key))).toMatchObject(storeUrl(file, 'none of the identities'));
  });

  it('refuses recipients that are none, before anything is minted', async () => {
    const good = await identityToRecipient(await generateX25519Identity());
    const identity = await generateX25519Identity();
    // The point 0 of Curve25519: well-formed, but no secret can be shared with it.
    const lowOrder = 'age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq5cu47z';
    for (const bad of ['', 'age1x', ` ${good}`, `${good},${good}`, good.toUpperCase(), identity, lowOrder]) {
      const { code, issues, message } = await failure(openFileStore(directory, { recipients: [good, bad] }));
      expect(code).toBe('invalid_request');
      expect(issues).toEqual([
        {
          field: 'CLOUD_CLI_AGE_RECIPIENTS',
          message: 'must be age recipients (age1...), and number 2 is not',
        },
      ]);
      if (bad !== '') expect(message).not.toContain(bad);
    }
  });
});

describe('what it refuses', () => {
  /** Opening the store anew, and each method of the store that is open. */
  async function everyWay(store: Awaited<ReturnType<typeof openFileStore>>) {
    const ways = [
      () => openFileStore(directory),
      store.list,
      ...[store.read, store.describe, store.remove].map((method) => () => method(key) as Promise<unknown>),
    ];
    return {
      failures: await Promise.all(ways.map((way) => failure(way()))),
      persistFailure: await failure(persist(store, awsCredential(`${key}`))),
    };
  }

  async function expectRefused(store: Awaited<ReturnType<typeof openFileStore>>, what: string, hint: string) {
    const { failures, persistFailure } = await everyWay(store);
    for (const each of failures) {
      expect(each).toMatchObject({ ...storeUrl(directory, what), hint: expect.stringContaining(hint) });
    }
    expect(persistFailure).toMatchObject({ code: 'persist_failed', hint: expect.stringContaining(hint) });
    expect(persistFailure.message).toContain(`${directory} ${what}`);
  }

  it('a directory that is open to others', async () => {
    const { store } = await filled();
    for (const [bits, shown] of [
      [0o750, '750'],
      [0o701, '701'],
      [0o720, '720'],
    ] as const) {
      await chmod(directory, bits);
      await expectRefused(store, `is open to other users (mode ${shown})`, `chmod 700 '${directory}'`);
    }
  });

  it('a directory that is a symbolic link, with and without a slash behind it', async () => {
    const { store } = await filled();
    await rename(directory, `${directory}-real`);
    await symlink(`${directory}-real`, directory);
    await expectRefused(store, 'is a symbolic link', 'Name the directory that it points to');
    await failure(openFileStore(`${directory}/`));
    await failure(openFileStore(`${directory}/.`));
  });

  it('a directory that is a file, or has one above it', async () => {
    const { store } = await filled();
    await rm(directory, { recursive: true });
    await writeFile(directory, '');
    await expectRefused(store, 'is not a directory', 'Name a directory');
    const inFile = await failure(openFileStore(join(directory, 'below')));
    expect(inFile).toMatchObject(storeUrl(directory, 'ENOTDIR'));
  });

  it('a directory of another user', async ({ skip }) => {
    skip(!asRoot, 'only root can give files away');
    const { store } = await filled();
    await chown(directory, 12345, 12345);
    await expectRefused(
      store,
      'belongs to user 12345, and cloud-cli runs as user 0',
      `chown 0 '${directory}'`,
    );
  });

  it('a key that is none, from a caller without types', async () => {
    const { store } = await filled();
    const bad = '../credentials/idp:aws:prod' as unknown as CredentialKey;
    for (const method of [store.read, store.describe, store.remove]) {
      expect(await failure(method(bad) as Promise<unknown>)).toMatchObject({
        code: 'invalid_request',
        issues: [{ field: 'target_credential_key' }],
      });
    }
    expect(await store.read(key)).toBeDefined();
  });

  it('a name that is none', async () => {
    for (const name of ['', 'a\0b']) expect(await failure(openFileStore(name))).toMatchObject(storeUrl(''));
  });

  /** Ways to spoil a file, and what is said of it. */
  const spoilt: Record<string, { spoil: (path: string) => Promise<unknown>; what: string; root?: true }> = {
    'open to others': { spoil: (path) => chmod(path, 0o640), what: 'is open to other users (mode 640)' },
    'a symbolic link': {
      spoil: async (path) => {
        await rename(path, `${path}.real`);
        await symlink(`${path}.real`, path);
      },
      what: 'is a symbolic link (ELOOP)',
    },
    'a dangling link': {
      spoil: async (path) => {
        await unlink(path);
        await symlink('/nonexistent', path);
      },
      what: 'is a symbolic link (ELOOP)',
    },
    'hard-linked': { spoil: (path) => link(path, `${path}.other`), what: 'has 2 hard links' },
    'of another user': {
      spoil: (path) => chown(path, 12345, 12345),
      what: 'belongs to user 12345',
      root: true,
    },
    'a directory': {
      spoil: async (path) => {
        await unlink(path);
        await mkdir(path, { mode: 0o700 });
      },
      what: 'is not a regular file',
    },
    'a FIFO': {
      spoil: async (path) => {
        await unlink(path);
        execFileSync('mkfifo', ['-m', '600', path]);
      },
      what: 'is not a regular file',
    },
    'larger than 1 MiB': { spoil: (path) => truncate(path, 1024 * 1024 + 1), what: 'is larger than 1 MiB' },
  };

  for (const [name, { spoil, what, root }] of Object.entries(spoilt)) {
    it(`a credential file that is ${name}`, async ({ skip }) => {
      skip(root === true && !asRoot, 'only root can give files away');
      const { store, credential } = await filled();
      await spoil(file);
      expect(await failure(store.read(key), credential)).toMatchObject(storeUrl(file, what));
      expect(await failure(store.describe(key))).toMatchObject(storeUrl(file, what));
    });

    it(`an identity.txt that is ${name}`, async ({ skip }) => {
      skip(root === true && !asRoot, 'only root can give files away');
      const { store, credential } = await filled();
      await persist(store, credential);
      await spoil(identityFile);
      expect(await failure(store.read(key), credential)).toMatchObject(storeUrl(identityFile, what));
      const refused = await failure(persist(store, gcpCredential(`${key}`)));
      expect(refused).toMatchObject({ code: 'persist_failed', message: expect.stringContaining(what) });
      expect(await store.describe(key)).toEqual(metadataOf(credential));
    });
  }

  it('a credential under the name of another', async () => {
    const { store, credential } = await filled();
    const other = CredentialKey.parse('idp:aws:other');
    await rename(file, join(directory, `${other}.age`));
    expect(await failure(store.read(other), credential)).toMatchObject(storeUrl('another key'));
    expect(await failure(store.describe(other))).toMatchObject(storeUrl('another key'));
  });

  it('a file cut short anywhere', async () => {
    const { store, credential } = await filled();
    const whole = await readFile(file);
    for (let size = 0; size < whole.length; size += size < 900 ? 37 : 211) {
      await writeFile(file, whole.subarray(0, size));
      expect(await failure(store.read(key), credential)).toMatchObject(storeUrl(file));
    }
    await writeFile(file, Buffer.concat([whole, Buffer.from('x')]));
    expect(await failure(store.read(key), credential)).toMatchObject(storeUrl(file, 'is damaged'));
  });

  it('a file with a bit flipped anywhere', async () => {
    const { store, credential } = await filled();
    const whole = await readFile(file);
    for (let at = 0; at < whole.length; at += 29) {
      const flipped = Buffer.from(whole);
      flipped[at]! ^= 1;
      await writeFile(file, flipped);
      expect(await failure(store.read(key), credential)).toMatchObject(storeUrl(file));
    }
  });

  /** An age file for this store's identity, with metadata and content of the test's choosing. */
  async function forge(metadata: string, content: string, type = 'cloud-cli.alphaswarm.dev/metadata') {
    const identity = (await readFile(identityFile, 'utf8')).trim().split('\n').at(-1)!;
    const encrypter = new Encrypter();
    encrypter.addRecipient({ wrapFileKey: () => [new Stanza([type], Buffer.from(metadata))] });
    encrypter.addRecipient(await identityToRecipient(identity));
    await writeFile(file, await encrypter.encrypt(content));
  }

  it('a header that tells other metadata than the content, also in a well-made file', async () => {
    const { store, credential } = await filled();
    const metadata = JSON.stringify({ ...metadataOf(credential), expires_at: '2099-01-01T00:00:00Z' });
    await forge(metadata, serializeCredential(credential));
    expect(await failure(store.read(key), credential)).toMatchObject(storeUrl(file, 'does not belong'));
  });

  it('a header that is not exactly the metadata', async () => {
    const { store, credential } = await filled();
    const metadata = metadataOf(credential);
    const { provider, ...lacking } = metadata;
    const headers = ['', '{', 'null', '[]', '{}', '{"provider":1}', ` ${JSON.stringify(metadata)}`];
    headers.push(
      ...[lacking, { ...lacking, provider }, { ...metadata, more: 'x' }, { ...metadata, provider: 1 }].map(
        (value) => JSON.stringify(value),
      ),
    );
    headers.push(JSON.stringify({ ...metadata, source_identity: 'x'.repeat(9000) }));
    for (const header of headers) {
      await forge(header, serializeCredential(credential));
      expect(await failure(store.describe(key), credential)).toMatchObject(storeUrl(file));
      expect(await failure(store.read(key), credential)).toMatchObject(storeUrl(file));
    }
    await forge(JSON.stringify(metadata), serializeCredential(credential), 'example.com/metadata');
    expect(await failure(store.describe(key))).toMatchObject(storeUrl(file, 'not written by cloud-cli'));
  });

  it('content that is no credential, without quoting it', async () => {
    const { store, credential } = await filled();
    const metadata = JSON.stringify(metadataOf(credential));
    for (const content of [`{"x": ${secretsOf(credential)[2]}`, 'null', '{"a":1}', '']) {
      await forge(metadata, content);
      expect(await failure(store.read(key), credential)).toMatchObject(storeUrl(file, 'holds no credential'));
    }
  });
});

describe('what it reads', () => {
  it('describes and lists without the identity', async () => {
    const { store, credential } = await filled();
    await unlink(identityFile);
    expect(await store.describe(key)).toEqual(metadataOf(credential));
    expect(await store.list()).toEqual([metadataOf(credential)]);
  });

  it('lists the others when one is unreadable, and warns of it', async () => {
    const { store, credential } = await filled();
    await persist(store, gcpCredential('idp:gcp:prod'));
    await writeFile(join(directory, 'idp:gcp:prod.age'), 'rubbish');
    const warned = new Promise<Error>((resolve) => process.once('warning', resolve));
    expect(await store.list()).toEqual([metadataOf(credential)]);
    expect(await warned).toMatchObject({
      name: 'CloudCliWarning',
      code: 'CLOUD_CLI_UNREADABLE',
      message: expect.stringContaining(join(directory, 'idp:gcp:prod.age')),
    });
  });

  it('leaves files alone that are none of its own', async () => {
    const { store, credential } = await filled();
    for (const name of ['README', 'notes.age', 'IDP:AWS:PROD.age', '.x.tmp']) {
      await writeFile(join(directory, name), 'x', { mode: 0o600 });
      await utimes(join(directory, name), 0, 0);
    }
    await persist(store, credential);
    expect(await store.list()).toEqual([metadataOf(credential)]);
    expect(await readdir(directory)).toHaveLength(6);
  });
});

describe('when a persist fails', () => {
  it('leaves the old credential and no temp file when the signal aborts while it writes', async () => {
    const { store, credential } = await filled();
    let asked = 0;
    const signal = {
      get aborted() {
        return ++asked > 1;
      },
    } as AbortSignal;
    const next = gcpCredential(`${key}`);
    expect(await failure(persist(store, next, signal), next)).toMatchObject({ code: 'persist_failed' });
    expect(asked).toBe(2);
    expect(opened(await store.read(key))).toEqual(opened(credential));
    expect(await temps()).toEqual([]);
  });

  it('leaves no temp file when it cannot take its place', async () => {
    const { store } = await filled();
    await unlink(file);
    await mkdir(join(file, 'x'), { recursive: true });
    const next = gcpCredential(`${key}`);
    expect(await failure(persist(store, next), next)).toMatchObject({
      code: 'persist_failed',
      message: `${directory} cannot be used (EISDIR)`,
    });
    expect(await temps()).toEqual([]);
  });

  it('removes temp files that are older than ten minutes, and no younger ones', async () => {
    const { store, credential } = await filled();
    const ages = [9, 11].map((minutes) => ({ minutes, name: `.${randomUUID()}.tmp` }));
    for (const { minutes, name } of ages) {
      await writeFile(join(directory, name), 'x');
      const then = Date.now() / 1000 - minutes * 60;
      await utimes(join(directory, name), then, then);
    }
    await persist(store, credential);
    expect(await temps()).toEqual([ages[0]!.name]);
  });

  it('says so when it may not write', async ({ skip }) => {
    skip(!asRoot, 'needs root to become somebody else');
    const { store } = await filled();
    for (const path of [directory, file, identityFile]) await chown(path, 12345, 12345);
    for (const path of [parent, join(parent, 'home dir')]) await chmod(path, 0o755);
    await chmod(directory, 0o500);
    process.seteuid!(12345);
    try {
      expect(await failure(persist(store, awsCredential(`${key}`)))).toMatchObject({
        code: 'persist_failed',
        message: `${directory} is not accessible (EACCES)`,
      });
    } finally {
      process.seteuid!(0);
    }
  });

  describe('on a file system of its own', () => {
    let mounted: boolean;
    const reason = 'mounting a tmpfs is not permitted here';

    beforeEach(() => {
      mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k,mode=700', 'tmpfs', parent]).status === 0;
    });

    afterEach(() => {
      if (mounted) execFileSync('umount', [parent]);
    });

    it('says that there is no space left, and keeps the old credential', async ({ skip }) => {
      skip(!mounted, reason);
      const { store, credential } = await filled();
      await writeFile(join(parent, 'full'), Buffer.alloc(65536)).catch(() => {});
      const next = azureCredential(`${key}`);
      expect(await failure(persist(store, next), next)).toMatchObject({
        code: 'persist_failed',
        message: `${directory} has no space left (ENOSPC)`,
      });
      expect(await temps()).toEqual([]);
      expect(opened(await store.read(key))).toEqual(opened(credential));
    });

    it('says that it is read-only, and reads on', async ({ skip }) => {
      skip(!mounted, reason);
      const { store, credential } = await filled();
      execFileSync('mount', ['-o', 'remount,ro', parent]);
      const next = gcpCredential(`${key}`);
      expect(await failure(persist(store, next), next)).toMatchObject({
        code: 'persist_failed',
        message: `${directory} is on a read-only file system (EROFS)`,
      });
      expect(await failure(store.remove(key))).toMatchObject(storeUrl(file, 'EROFS'));
      expect(opened(await store.read(key))).toEqual(opened(credential));
    });
  });
});

describe('between processes', () => {
  let compiled: Compiled;
  beforeAll(async () => {
    compiled = await compileFileStore();
  });
  afterAll(() => compiled.cleanup());

  /** Script: persists a GCP credential under `key`, once `await ready` has passed. */
  function persisting(key: string, ready = ''): string {
    const metadata = JSON.stringify(metadataOf(gcpCredential(key)));
    return `
      ${compiled.imports}
      const store = await openFileStore(${JSON.stringify(directory)});
      ${ready}
      await store.persist(CredentialKey.parse(${JSON.stringify(key)}),
        { ...${metadata}, access_token: new Secret('canary-of-the-child') },
        { run_id: '', signal: new AbortController().signal });
      process.exit(0);
    `;
  }

  it('agree on one identity when they race at first use', async () => {
    const ready = `
      await import(${JSON.stringify(import.meta.resolve('age-encryption'))});
      process.stdout.write('ready');
      await new Promise((resolve) => process.stdin.once('data', resolve));
    `;
    const children = [1, 2, 3, 4].map((n) => start(persisting(`idp:gcp:race-${n}`, ready)));
    await Promise.all(children.map((child) => says(child, 'ready')));
    for (const child of children) child.stdin!.write('go');
    for (const child of children) expect(await ended(child)).toMatchObject({ code: 0 });
    const store = await openFileStore(directory);
    for (const { credential_key } of await store.list()) {
      expect(await store.read(CredentialKey.parse(credential_key))).toBeDefined();
    }
    expect(await readdir(directory)).toHaveLength(5);
    expect((await lstat(identityFile)).nlink).toBe(1);
  });

  it('killed before its rename, leave the old credential whole and nothing in the clear', async () => {
    const { store, credential } = await filled();
    const stuck = `
      const fs = (await import('node:fs')).default;
      fs.rename = () => { process.stdout.write('written'); setInterval(() => {}, 1000); };
      (await import('node:module')).syncBuiltinESMExports();
    `;
    const child = start(stuck + persisting(`${key}`));
    await says(child, 'written');
    child.kill('SIGKILL');
    expect(await ended(child)).toMatchObject({ signal: 'SIGKILL' });

    const [temp] = await temps();
    const left = await readFile(join(directory, temp!));
    expect(left.subarray(0, 21).toString()).toBe('age-encryption.org/v1');
    expect(left.includes('canary-of-the-child')).toBe(false);
    expect(await mode(join(directory, temp!))).toBe('600');
    expect(opened(await store.read(key))).toEqual(opened(credential));
    expect(await store.list()).toEqual([metadataOf(credential)]);

    const then = Date.now() / 1000 - 11 * 60;
    await utimes(join(directory, temp!), then, then);
    await persist(store, credential);
    expect(await temps()).toEqual([]);
  });

  it('describe, list and remove without loading age', async () => {
    await filled();
    const child = start(`
      ${compiled.importsWithoutPackages}
      const store = await openFileStore(${JSON.stringify(directory)});
      const key = CredentialKey.parse('idp:aws:prod');
      const described = await store.describe(key);
      const listed = await store.list();
      const unread = await store.read(key).then(() => false, (error) => error.code === 'ERR_MODULE_NOT_FOUND');
      const removed = await store.remove(key);
      process.exit(described && listed.length === 1 && unread && removed ? 0 : 1);
    `);
    expect(await ended(child)).toMatchObject({ code: 0 });
  });
});
