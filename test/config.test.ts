import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadSettings } from '../src/config.js';
import { CloudCliError } from '../src/errors.js';
import { requests, temporaryDirectory } from './support.js';

function configured(config: unknown, env: NodeJS.ProcessEnv = {}) {
  const home = temporaryDirectory();
  writeFileSync(join(home, 'config.json'), typeof config === 'string' ? config : JSON.stringify(config));
  return loadSettings({ CLOUD_CLI_HOME: home, ...env });
}

function refused(config: unknown): string[] {
  try {
    configured(config);
    return [];
  } catch (error) {
    if (!(error instanceof CloudCliError) || error.code !== 'invalid_request') throw error;
    return error.toJSON().issues?.map(({ field }) => field) ?? [];
  }
}

describe('the configuration', () => {
  it('takes the age of an authentication from the environment before the file', () => {
    const http = { step_up_max_age_seconds: 60, max_in_flight: 4, hosts: ['admin.example.com', '[::2]'] };
    expect(configured({ http }).http).toEqual(http);
    expect(configured({ http }, { AUTH_STEP_UP_DEFAULT_MAX_AGE: '90' }).http).toEqual({
      ...http,
      step_up_max_age_seconds: 90,
    });
    for (const wrong of ['0', '-1', '1.5', 'soon', '1e3'])
      expect(() => configured({}, { AUTH_STEP_UP_DEFAULT_MAX_AGE: wrong })).toThrow(
        'AUTH_STEP_UP_DEFAULT_MAX_AGE',
      );
    expect(refused({ http: { hosts: ['admin.example.com:443', 'https://x'] } })).toEqual([
      'http.hosts.0',
      'http.hosts.1',
    ]);
  });

  it('needs no file: everything has its place in the home', () => {
    expect(loadSettings({ CLOUD_CLI_HOME: '/h' })).toEqual({
      home: '/h',
      binaries: {},
      audit_url: 'sqlite:/h/audit.sqlite',
      store_url: 'file:/h/credentials',
      age_recipients: [],
      actor: undefined,
      targets: {},
      allow: undefined,
      http: {},
    });
    expect(loadSettings({ HOME: '/u' }).home).toBe(
      process.platform === 'darwin'
        ? '/u/Library/Application Support/cloud-cli'
        : '/u/.local/share/cloud-cli',
    );
    expect(loadSettings({ HOME: '/u', XDG_DATA_HOME: '/d' }).home).toBe(
      process.platform === 'darwin' ? '/u/Library/Application Support/cloud-cli' : '/d/cloud-cli',
    );
  });

  it('of the environment beats the file, and an empty variable is none', () => {
    const file = { audit_url: 'sqlite:/file', store_url: 'file:/file' };
    expect(configured(file)).toMatchObject(file);
    expect(configured(file, { CLOUD_CLI_AUDIT_URL: 'sqlite:/env', CLOUD_CLI_STORE_URL: '' })).toMatchObject({
      audit_url: 'sqlite:/env',
      store_url: 'file:/file',
    });
    expect(
      configured({}, { CLOUD_CLI_ACTOR: 'ops', CLOUD_CLI_AGE_RECIPIENTS: 'age1a, age1b\nage1c' }),
    ).toMatchObject({ actor: 'ops', age_recipients: ['age1a', 'age1b', 'age1c'] });
  });

  it('takes what the contract shows', () => {
    const shown = {
      audit_url: 'sqlite:/var/lib/cloud-cli/audit.sqlite',
      store_url: 'file:/var/lib/cloud-cli/credentials',
      targets: { prod: requests.aws() },
      allow: [
        {
          actors: ['*@example.com'],
          providers: ['aws'],
          identities: ['arn:aws:iam::123456789012:role/deploy-*'],
          keys: ['idp:aws:*'],
          max_lifetime_seconds: 3600,
        },
      ],
      http: { step_up_max_age_seconds: 180, freshness_claim: 'auth_time', max_in_flight: 32 },
    };
    expect(refused(shown)).toEqual([]);
    expect(configured(shown)).toMatchObject({ targets: shown.targets, allow: shown.allow });
  });

  it.each([
    ['no JSON', '{"a":', ['config']],
    ['no object', '[]', ['config']],
    ['unknown settings', { audit: 'x', http: { port: 1 } }, ['http.port', 'audit']],
    [
      'a setting of another type',
      { audit_url: 1, http: { max_in_flight: '32' } },
      ['audit_url', 'http.max_in_flight'],
    ],
    ['an allow rule with an unknown member', { allow: [{}, { actor: ['x'] }] }, ['allow.1.actor']],
    [
      'a target that is no request',
      { targets: { prod: { provider: 'aws', role_arn: 'x', bogus: 1 } } },
      ['targets.prod.role_arn', 'targets.prod.bogus'],
    ],
    ['a target without a provider', { targets: { prod: {} } }, ['targets.prod.provider']],
  ])('with %s is refused, each issue naming its path', (_, config, fields) => {
    expect(refused(config).toSorted()).toEqual(fields.toSorted());
  });

  it('that is named must be there', () => {
    expect(() => loadSettings({ CLOUD_CLI_CONFIG: '/nonexistent.json' })).toThrow(
      expect.objectContaining({ code: 'invalid_request' }),
    );
  });
});
