import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { childEnvironment } from '../src/environment.js';
import { CredentialKey, isCredentialKey } from '../src/key.js';
import { locate, safePath } from '../src/locate.js';
import { newRunId, runIdPattern } from '../src/run-id.js';
import { Secret } from '../src/secret.js';
import { temporaryDirectory } from './support.js';

describe('a Secret', () => {
  const secret = new Secret('canary-value');

  it('shows in no way that JavaScript has of showing a value', () => {
    const shown = [
      String(secret),
      `${secret}`,
      `${[secret]}`,
      JSON.stringify({ secret }),
      inspect(secret),
      inspect({ deep: { secret } }, { depth: 9, showHidden: true }),
      JSON.stringify(structuredClone({ secret })),
      Object.keys(secret).join(),
      JSON.stringify(Object.getOwnPropertyDescriptors(secret)),
      new Error(`${secret}`).stack ?? '',
    ];
    for (const text of shown) expect(text).not.toContain('canary');
    expect(String(secret)).toBe('****');
    expect(secret.reveal()).toBe('canary-value');
  });

  it('behind a flag shows the flag', () => {
    const item = secret.after('--code=');
    expect([String(item), item.reveal(), item.fingerprint()]).toEqual([
      '--code=****',
      '--code=canary-value',
      secret.fingerprint(),
    ]);
  });

  it('has the fingerprint that sha256sum gives', () => {
    expect(new Secret('abc').fingerprint()).toBe(
      'sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
  });

  it('is scrubbed from a text in every form it may stand there', () => {
    const hush = new Secret('acme:prod/eu@1');
    const text = `a acme:prod/eu@1 b ${encodeURIComponent('acme:prod/eu@1')} c ${Buffer.from('acme:prod/eu@1').toString('base64')}`;
    expect(hush.scrub(text)).toBe('a **** b **** c ****');
    expect(new Secret('in').scrub('in the inn, id=in')).toBe('**** the inn, id=****');
    expect(new Secret('a.b').scrub('a.b axb')).toBe('**** axb');
    expect(new Secret('').scrub('text')).toBe('text');
  });
});

describe('a CredentialKey', () => {
  it('splits at the first colon', () => {
    const { service, purpose } = CredentialKey.parse('idp:aws:prod');
    expect([service, purpose, String(new CredentialKey('idp', 'aws:prod'))]).toEqual([
      'idp',
      'aws:prod',
      'idp:aws:prod',
    ]);
  });

  it.each([
    ['', 'x'],
    ['idp', ''],
    ['a:b', 'c'],
    ['IDP', 'aws'],
    ['..', 'x'],
    ['idp', '../x'],
    [undefined, 'x'],
  ])('refuses %j and %j', (service, purpose) => {
    expect(() => new CredentialKey(service as string, purpose)).toThrow(
      expect.objectContaining({ code: 'invalid_request' }),
    );
  });

  it('accepts exactly what its grammar, read letter by letter, accepts', () => {
    const plain = (text: string) => {
      const segments = text.split(':');
      const isSegment = (segment: string) =>
        segment.length <= 63 && segment.split(/[._-]/).every((word) => /^[a-z0-9]+$/.test(word));
      return text.length <= 200 && segments.length >= 2 && segments.length <= 8 && segments.every(isSegment);
    };
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...'ab09:._-A/ \n'), maxLength: 30 }),
        (text) => isCredentialKey(text) === plain(text),
      ),
      { numRuns: 2000 },
    );
  });
});

describe('a run id', () => {
  it('is a UUIDv7 of its moment, and sorts by it', () => {
    expect(newRunId(0)).toMatch(/^00000000-0000-7/);
    const ids = Array.from({ length: 50 }, (_, i) => newRunId(1_700_000_000_000 + i));
    expect(ids.every((id) => runIdPattern.test(id))).toBe(true);
    expect(ids.toSorted()).toEqual(ids);
    expect(new Set(ids).size).toBe(50);
  });
});

describe('the search for a binary', () => {
  function host() {
    const directory = temporaryDirectory();
    const make = (name: string, mode = 0o755, folderMode = 0o755) => {
      mkdirSync(join(directory, name));
      writeFileSync(join(directory, name, 'tool'), '#!/bin/sh\n');
      chmodSync(join(directory, name, 'tool'), mode);
      chmodSync(join(directory, name), folderMode);
      return join(directory, name);
    };
    return { directory, make };
  }

  it('takes the first executable file of an absolute entry', () => {
    const { directory, make } = host();
    const [plain, first, second] = [make('plain', 0o644), make('first'), make('second')];
    mkdirSync(join(directory, 'folder', 'tool'), { recursive: true });
    const path = [join(directory, 'gone'), plain, join(directory, 'folder'), first, second].join(':');
    expect(locate('tool', path)).toBe(join(first, 'tool'));
    expect(locate('other', path)).toBeUndefined();
    expect(locate('tool', undefined)).toBeUndefined();
  });

  it('never looks into the working directory or one that anybody can write', () => {
    const { directory, make } = host();
    make('here');
    const open = make('open', 0o755, 0o777);
    const before = process.cwd();
    process.chdir(join(directory, 'here'));
    try {
      for (const path of ['', ':', '.', './', '::/nonexistent:', 'here', '..', open])
        expect(locate('tool', path)).toBeUndefined();
      expect(safePath(`.:${open}::/usr/bin:relative`)).toBe('/usr/bin');
    } finally {
      process.chdir(before);
    }
  });

  it('follows a link to an executable file', () => {
    const { directory, make } = host();
    const real = make('real');
    mkdirSync(join(directory, 'links'));
    symlinkSync(join(real, 'tool'), join(directory, 'links', 'tool'));
    symlinkSync(join(directory, 'nowhere'), join(directory, 'links', 'broken'));
    expect(locate('tool', join(directory, 'links'))).toBe(join(directory, 'links', 'tool'));
    expect(locate('broken', join(directory, 'links'))).toBeUndefined();
  });
});

describe('the environment of a vendor process', () => {
  it('keeps the parent’s credentials and loses what could change its code', () => {
    const kept = {
      AWS_ACCESS_KEY_ID: 'id',
      AWS_PROFILE: 'p',
      CLOUDSDK_CONFIG: '/c',
      AZURE_CONFIG_DIR: '/a',
      HTTPS_PROXY: 'http://p',
      HOME: '/h',
      CLOUDSDK_PYTHON: '/usr/bin/python3',
    };
    const lost = [
      'LD_PRELOAD',
      'LD_LIBRARY_PATH',
      'DYLD_INSERT_LIBRARIES',
      'NODE_OPTIONS',
      'NODE_PATH',
      'PYTHONPATH',
      'PYTHONHOME',
      'PYTHONSTARTUP',
      'PERL5LIB',
      'RUBYOPT',
      'BASH_ENV',
      'ENV',
      'BASH_FUNC_x%%',
      'SHELLOPTS',
      'IFS',
      'GLIBC_TUNABLES',
      'SSLKEYLOGFILE',
      'PGPASSWORD',
      'OPENSSL_CONF',
      'CLOUD_CLI_EXTERNAL_ID',
      'CLOUD_CLI_TOKEN_CODE',
      'CLOUD_CLI_RUN_ID',
      'JAVA_TOOL_OPTIONS',
      'GCONV_PATH',
    ];
    const parent = {
      ...kept,
      ...Object.fromEntries(lost.map((name) => [name, 'x'])),
      TZ: 'America/New_York',
      PATH: '.:/usr/bin',
      UNSET: undefined,
    };
    const env = childEnvironment(parent, { environment: { AWS_PAGER: '', REASON: '<run_id>' } }, 'run-1');
    expect(env).toEqual({
      ...kept,
      AWS_PAGER: '',
      REASON: 'run-1',
      PATH: '/usr/bin',
      TZ: 'UTC',
      LC_ALL: 'C.UTF-8',
      PYTHONWARNINGS: 'ignore',
      CLOUD_CLI_RUN_ID: 'run-1',
    });
  });
});
