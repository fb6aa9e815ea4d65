/** Known token values, driven through success and every failure of every provider, come out nowhere. */
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import {
  CredentialKey,
  mint,
  openAuditStore,
  openCredentialStore,
  type PersistHook,
  preview,
} from '../src/index.js';
import { services } from './stores/services.js';
import {
  cloudCli,
  fixturePath,
  flagsOf,
  freshEnvironment,
  type Provider,
  providers,
  requests,
  temporaryDirectory,
} from './support.js';

const canary = 'Canary7Qz5';
const key = CredentialKey.parse('idp:aws:prod');
const externalId = 'canary-external/Id42';
const tokenCode = '918273';

const words = [
  'deploy',
  'denied',
  'not-logged-in',
  'expired-login',
  'throttled',
  'not-found',
  'unreachable',
  'leaky',
  'truncated-body',
  'signal',
  'garbage',
  'junk-before',
  'empty',
  'truncated',
  'no-token',
  'wrong-identity',
  'wrong-session',
  'past-expiry',
  'garbage-expiry',
  'endless',
  'endless-stderr',
  'chatty',
  'hanging',
  'orphan-pipe',
]; // prettier-ignore

/** Every form in which a canary could stand in a text. */
function leaksIn(text: string): string[] {
  const decoded = [
    text,
    tryDecode(text),
    ...[...text.matchAll(/[A-Za-z0-9+/_-]{12,}={0,2}/g)].map(([run]) =>
      Buffer.from(run, 'base64').toString('latin1'),
    ),
  ];
  const values = [canary, externalId, `=${tokenCode}`, `'${tokenCode}'`];
  return values.filter((value) => decoded.some((form) => form.includes(value)));
}

function tryDecode(text: string): string {
  return text.replace(/%[0-9A-Fa-f]{2}/g, (escaped) =>
    String.fromCharCode(Number.parseInt(escaped.slice(1), 16)),
  );
}

function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map((name) => join(directory, name))
    .filter((path) => statSync(path).isFile());
}

function requestFor(provider: Provider, word: string): Record<string, unknown> {
  const secrets =
    provider === 'aws'
      ? {
          external_id: externalId,
          serial_number: 'arn:aws:iam::123456789012:mfa/operator',
          token_code: tokenCode,
        }
      : {};
  return { ...requests[provider](word), ...secrets, timeout_seconds: ['hanging'].includes(word) ? 1 : 20 };
}

describe.each(providers)('a canary through %s', (provider) => {
  it('is in no error, stack, inspection, JSON, row or file of the library', async () => {
    const home = temporaryDirectory();
    const audit = await openAuditStore(`sqlite:${join(home, 'audit.sqlite')}`);
    const store = await openCredentialStore(`file:${join(home, 'credentials')}`);
    const env = { PATH: fixturePath, HOME: home, FIXTURE_CANARY: canary };
    const said: string[] = [];
    const handed: string[] = [];
    const leakyHook: PersistHook = (_, credential) => {
      handed.push(
        JSON.stringify(credential),
        inspect(credential, { depth: 9, showHidden: true }),
        `${Object.values(credential)}`,
      );
      const open = Object.values(credential).map((value) =>
        typeof value === 'string' ? value : value.reveal(),
      );
      throw Object.assign(new Error(open.join(' ')), { stdout: open });
    };
    for (const word of words) {
      const request = requestFor(provider, word);
      said.push(JSON.stringify(await preview(request, { env })));
      for (const persist of [store.persist, leakyHook]) {
        const result = await mint(request, { audit, persist, env }).catch((error: unknown) => error);
        const error =
          result instanceof Error ? [result.message, result.stack, String(result), String(result.cause)] : [];
        said.push(
          [word, JSON.stringify(result), inspect(result, { depth: 9, showHidden: true }), ...error].join(
            '\n',
          ),
        );
        if (word === 'hanging') break;
      }
    }
    said.push(JSON.stringify(await audit.list()), ...handed);
    await audit.close();
    expect(handed.length).toBeGreaterThan(0);
    for (const text of said) expect([text.slice(0, 200), leaksIn(text)]).toEqual([text.slice(0, 200), []]);
    const files = filesBelow(home);
    expect(files.some((file) => file.endsWith('.age'))).toBe(true);
    for (const file of files) expect([file, leaksIn(readFileSync(file, 'latin1'))]).toEqual([file, []]);
  });

  it('is in no output or file of the command, with NODE_DEBUG=execa too', async () => {
    const env = freshEnvironment({ FIXTURE_CANARY: canary, NODE_DEBUG: 'execa' });
    for (const word of ['deploy', 'leaky', 'garbage', 'truncated', 'wrong-identity', 'signal', 'hanging']) {
      const { external_id, token_code, ...request } = requestFor(provider, word);
      const secrets =
        external_id === undefined
          ? {}
          : { CLOUD_CLI_EXTERNAL_ID: String(external_id), CLOUD_CLI_TOKEN_CODE: String(token_code) };
      for (const json of [[], ['--json']]) {
        const ran = await cloudCli(['mint', ...flagsOf(request), ...json], { ...env, ...secrets });
        expect([word, ran.code === 0, leaksIn(ran.stdout), leaksIn(ran.stderr)]).toEqual([
          word,
          word === 'deploy',
          [],
          [],
        ]);
      }
    }
    for (const args of [
      ['audit', 'list', '--json'],
      ['credentials', 'list', '--json'],
      ['credentials', 'show', `idp:${provider}:prod`],
    ]) {
      const ran = await cloudCli(args, env);
      expect([args, ran.code, leaksIn(ran.stdout + ran.stderr)]).toEqual([args, 0, []]);
    }
    for (const file of filesBelow(env.HOME!))
      expect([file, leaksIn(readFileSync(file, 'latin1'))]).toEqual([file, []]);
    // The store is not left out because it is empty: without encryption the canary would be there.
    rmSync(join(env.CLOUD_CLI_HOME!, 'audit.sqlite'));
    expect(filesBelow(env.HOME!).length).toBeGreaterThan(1);
  });
});

describe.each(Object.entries(services))('a canary through %s', (_, { start, isWrite }) => {
  it('is in no error, stack, inspection, JSON or row, whatever the service answers', async () => {
    const home = temporaryDirectory();
    const audit = await openAuditStore(`sqlite:${join(home, 'audit.sqlite')}`);
    const env = { PATH: fixturePath, HOME: home, FIXTURE_CANARY: canary };
    const service = await start();
    const store = await service.open({ call_seconds: 0.4, total_seconds: 1.5 });
    const said: string[] = [];
    for (const word of [
      'denied',
      'login',
      'throttled',
      'broken',
      'full',
      'garbage',
      'cut',
      'lost',
      'hanging',
    ]) {
      service.be(word, { only: isWrite });
      const error = await mint(requests.aws(), { audit, persist: store.persist, env }).catch(
        (error: unknown) => error,
      );
      const { message, stack, cause } = error as Error;
      const inspected = inspect(error, { depth: 9, showHidden: true });
      said.push([word, message, stack, cause, JSON.stringify(error), inspected].join('\n'));
    }
    said.push(JSON.stringify(await audit.list()));
    service.be('well');
    const patient = await service.open();
    await mint(requests.aws(), { audit, persist: patient.persist, env });
    said.push(JSON.stringify([await patient.describe(key), await patient.list(), await patient.read(key)]));
    await store.close();
    await patient.close();
    await service.close();
    await audit.close();
    for (const text of said) expect([text.slice(0, 200), leaksIn(text)]).toEqual([text.slice(0, 200), []]);
    // Each was sent it, and most sent it back.
    expect(leaksIn(service.calls.map(({ body }) => body).join('\n'))).toEqual([canary]);
    for (const file of filesBelow(home))
      expect([file, leaksIn(readFileSync(file, 'latin1'))]).toEqual([file, []]);
  });
});

describe('the canary', () => {
  it('would be found: it is in what the stand-ins answer, and in what exec hands on', async () => {
    for (const provider of providers) {
      const env = freshEnvironment({ FIXTURE_CANARY: canary });
      await cloudCli(['mint', ...flagsOf(requests[provider]())], env);
      const ran = await cloudCli(['exec', `idp:${provider}:prod`, '--', '/usr/bin/env'], env);
      expect([ran.code, leaksIn(ran.stdout.replace(/^FIXTURE_CANARY=.*$/m, ''))]).toEqual([0, [canary]]);
    }
  });
});
