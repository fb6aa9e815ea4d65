/** The controller's four routes and what stands beside them, without a port in between. */
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CredentialKey, CredentialResolver } from '../../src/index.js';
import { newRunId } from '../../src/run-id.js';
import { type Provider, providers, requests, until } from '../support.js';
import { documented, newController } from './support.js';

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

describe.each(providers)('the controller, asked for %s', (provider: Provider) => {
  it('mints, answers with the envelope alone, and the operator is the actor of the row', async () => {
    const host = await newController();
    const answer = await host.call('sts', { body: requests[provider](), headers: { traceparent } });
    expect(answer).toMatchObject({ status: 200 });
    expect(Object.keys(answer.body).toSorted()).toEqual([
      'audit_run_id',
      'credential_key',
      'expires_at',
      'source_identity',
    ]);
    const credential = await new CredentialResolver([host.store]).resolve(
      CredentialKey.parse(`idp:${provider}:prod`),
    );
    expect(credential).toMatchObject(answer.body);
    const run = await host.call(`runs/${answer.body.audit_run_id}`);
    expect(run.status).toBe(200);
    expect(run.body).toEqual(await host.audit.get(answer.body.audit_run_id));
    expect(run.body).toMatchObject({ status: 'SUCCEEDED', actor: 'alice@example.com', traceparent });
  });

  it('previews what a mint with its run id then spawns, and starts and records nothing for it', async () => {
    const host = await newController();
    const shown = await host.call('preview', { body: requests[provider]() });
    expect(shown).toMatchObject({ status: 200, body: { binary_present: true } });
    expect([host.spawned(), await host.audit.list()]).toEqual([0, []]);
    const { run_id, argv } = shown.body;
    const minted = await host.call('sts', { body: { ...requests[provider](), run_id } });
    expect(minted.body.audit_run_id).toBe(run_id);
    expect((await host.audit.get(run_id))?.argv).toEqual(argv);
  });

  it('tells of a refusal by the vendor what happened, what lives, and what to do', async () => {
    const host = await newController();
    const answer = await host.call('sts', { body: requests[provider]('denied') });
    expect(answer.status).toBe(502);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(answer.body).toMatchObject({
      type: 'about:blank',
      title: 'Bad Gateway',
      status: 502,
      detail: answer.body.message,
      code: 'nonzero_exit',
      hint: expect.any(String),
      outcome: 'not_issued',
      audit_run_id: expect.any(String),
    });
    expect(await host.audit.get(answer.body.audit_run_id)).toMatchObject({ status: 'FAILED' });
  });
});

describe('the controller', () => {
  it('lists the providers with their fields and whether each CLI is there', async () => {
    const { body } = await (await newController()).call('handlers');
    expect(body.map((each: { provider: string }) => each.provider)).toEqual(['aws', 'gcp', 'azure']);
    expect(body[0]).toMatchObject({ binary: 'aws', binary_present: true, title: expect.any(String) });
    expect(body[0].fields).toContainEqual({
      name: 'external_id',
      label: expect.any(String),
      help: expect.any(String),
      type: 'string',
      required: false,
      secret: true,
    });
    const without = await (await newController({ PATH: '/nonexistent' })).call('handlers');
    expect(without.body[0]).toMatchObject({ binary_present: false });
  });

  it('masks a secret field wherever a preview and a row show it', async () => {
    const host = await newController();
    const body = { ...requests.aws(), external_id: 'acme-external-id-1' };
    const shown = await host.call('preview', { body });
    const minted = await host.call('sts', { body: { ...body, run_id: shown.body.run_id } });
    const run = await host.call(`runs/${minted.body.audit_run_id}`);
    expect(JSON.stringify([shown.body, run.body])).not.toContain('acme-external-id-1');
    expect(run.body.argv).toContain('--external-id=****');
  });

  it('names each wrong field, and mints nothing', async () => {
    const host = await newController();
    const body = { ...requests.aws(), role_arn: 'deploy', duration_seconds: 1, colour: 'red' };
    for (const path of ['preview', 'sts']) {
      const answer = await host.call(path, { body });
      expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
      expect(answer.body.issues.map(({ field }: { field: string }) => field).toSorted()).toEqual([
        'colour',
        'duration_seconds',
        'role_arn',
      ]);
    }
    expect([host.spawned(), await host.audit.list()]).toEqual([0, []]);
  });

  it('shows the verdict of the allow rules in a preview, and mints only what they allow', async () => {
    const policy = [{ actors: ['*@example.com'], identities: ['arn:aws:iam::123456789012:role/deploy'] }];
    const host = await newController({ policy });
    const allowed = await host.call('preview', { body: requests.aws() });
    expect(allowed.body.policy).toEqual({ allowed: true, rule: 0 });
    const denied = await host.call('preview', { body: requests.aws('other') });
    expect(denied).toMatchObject({ status: 200, body: { policy: { allowed: false } } });
    const refused = await host.call('sts', { body: requests.aws('other') });
    expect(refused).toMatchObject({ status: 403, body: { code: 'policy_denied', outcome: 'not_issued' } });
    const stranger = await host.call('sts', { body: requests.aws(), claims: { sub: 'eve@example.org' } });
    expect(stranger.status).toBe(403);
    expect([host.spawned(), await host.audit.list()]).toEqual([0, []]);
  });

  it('is not made with rules that are none', async () => {
    await expect(newController({ policy: [{ provider: ['aws'] }] as never })).rejects.toMatchObject({
      code: 'invalid_request',
    });
  });

  it('replays a run for its own actor alone, and a failed one is spent', async () => {
    const host = await newController();
    const body = { ...requests.aws(), run_id: newRunId() };
    const first = await host.call('sts', { body });
    expect((await host.call('sts', { body })).body).toEqual(first.body);
    const other = await host.call('sts', { body, claims: { sub: 'bob@example.com' } });
    expect(other).toMatchObject({ status: 409, body: { code: 'conflict' } });
    const failing = { ...requests.aws('denied'), run_id: newRunId() };
    expect((await host.call('sts', { body: failing })).status).toBe(502);
    expect((await host.call('sts', { body: failing })).status).toBe(409);
    expect(host.spawned()).toBe(2);
  });

  it('says that a vendor CLI is missing in the preview, and fails the mint with its row', async () => {
    const host = await newController({ PATH: '/nonexistent' });
    const shown = await host.call('preview', { body: requests.gcp() });
    expect(shown).toMatchObject({
      status: 200,
      body: { binary_present: false, problem: { code: 'binary_missing' } },
    });
    const answer = await host.call('sts', { body: requests.gcp() });
    expect(answer).toMatchObject({ status: 503, body: { code: 'binary_missing', outcome: 'not_issued' } });
    expect(await host.audit.get(answer.body.audit_run_id)).toMatchObject({ status: 'FAILED' });
  });

  it('answers 504 when the clock ran out', async () => {
    const host = await newController();
    const answer = await host.call('sts', { body: { ...requests.aws('hanging'), timeout_seconds: 1 } });
    expect(answer).toMatchObject({ status: 504, body: { code: 'timeout', outcome: 'unknown' } });
    expect(answer.body.live_until).toMatch(/Z$/);
  });

  it('fails as persist_failed without a hook, and starts nothing', async () => {
    const host = await newController({ persist: undefined, ready: undefined });
    const answer = await host.call('sts', { body: requests.aws() });
    expect(answer).toMatchObject({ status: 502, body: { code: 'persist_failed', outcome: 'not_issued' } });
    expect(host.spawned()).toBe(0);
  });

  it('tells an unknown run, and what is no run id, as not found', async () => {
    const host = await newController();
    for (const id of [newRunId(), 'nope', '1', '..%2Fhandlers', newRunId().toUpperCase()])
      expect(await host.call(`runs/${id}`)).toMatchObject({ status: 404, body: { code: 'not_found' } });
  });

  it('sheds what is beyond the mints that it takes at a time, and says when to come again', async () => {
    const host = await newController({ max_in_flight: 1 });
    const stop = new AbortController();
    const hanging = host.call('sts', { body: requests.aws('hanging'), signal: stop.signal });
    await until(() => host.spawned() === 1);
    const shed = await host.call('sts', { body: requests.gcp() });
    expect(shed).toMatchObject({ status: 429, body: { code: 'rate_limited', outcome: 'not_issued' } });
    expect(shed.headers.get('retry-after')).toMatch(/^\d+$/);
    expect(await host.audit.list({ provider: 'gcp' })).toEqual([]);
    expect((await host.call('/metrics')).body).toContain('cloud_cli_mints_in_flight 1\n');
    stop.abort();
    await hanging;
    expect((await host.call('sts', { body: requests.gcp() })).status).toBe(200);
  });

  it('cancels the run of a client that is gone, and counts it as 499', async () => {
    const host = await newController();
    const stop = new AbortController();
    const call = host.call('sts', { body: requests.aws('hanging'), signal: stop.signal });
    await until(() => host.spawned() === 1);
    stop.abort();
    await call;
    expect(await host.audit.list()).toMatchObject([{ status: 'FAILED', error: { code: 'cancelled' } }]);
    expect(host.logged.at(-1)).toMatchObject({ status: 499, code: 'cancelled', run_id: expect.any(String) });
    expect((await host.call('/metrics')).body).toMatch(/route="\/cloud-cli\/sts",status="499"/);
  });

  it('lets a run end that is in flight at a shutdown, and takes no other call', async () => {
    const host = await newController();
    const running = host.call('sts', { body: requests.aws('slow') });
    await until(() => host.spawned() === 1);
    const drained = host.handler.drain();
    const late = await host.call('sts', { body: requests.gcp() });
    expect(late).toMatchObject({ status: 503, body: { code: 'cancelled', outcome: 'not_issued' } });
    expect(late.headers.get('connection')).toBe('close');
    expect((await running).status).toBe(200);
    await drained;
    expect(await host.audit.list()).toHaveLength(1);
  });

  it('cancels what runs too long at a shutdown, and answers 503', async () => {
    const host = await newController();
    const running = host.call('sts', { body: requests.aws('hanging') });
    await until(() => host.spawned() === 1);
    await host.handler.drain(0.2);
    expect(await running).toMatchObject({ status: 503, body: { code: 'cancelled', outcome: 'unknown' } });
    expect(await host.audit.list()).toMatchObject([{ status: 'FAILED', error: { code: 'cancelled' } }]);
  });

  it('is ready with a ledger that can be written and the issuer’s keys', async () => {
    const host = await newController();
    expect(await host.call('/readyz')).toMatchObject({
      status: 200,
      body: { ledger: true, jwks: true, binaries: { aws: true } },
    });
    await host.audit.close();
    expect(await host.call('/readyz')).toMatchObject({ status: 503, body: { ledger: false } });
    expect((await host.call('sts', { body: requests.aws() })).body).toMatchObject({
      status: 503,
      code: 'audit_unavailable',
    });
    const keyless = await newController({ jwks_url: 'http://127.0.0.1:1/jwks' });
    expect(await keyless.call('/readyz')).toMatchObject({ status: 503, body: { ledger: true, jwks: false } });
    expect((await keyless.call('handlers')).body).toMatchObject({
      status: 502,
      code: 'upstream_unavailable',
    });
    expect((await keyless.call('/healthz')).status).toBe(200);
  });

  it('measures mints by provider and code, the chain, and the leases by the time to their expiry', async () => {
    const host = await newController();
    await host.call('sts', { body: requests.aws() });
    await host.call('sts', { body: requests.azure('denied') });
    await host.call('sts', { body: { provider: 'x"\n', target_credential_key: 'idp:x:y' } });
    const { body, headers } = await host.call('/metrics');
    expect(headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    for (const line of [
      'cloud_cli_mint_duration_seconds_count{provider="aws",code="succeeded"} 1',
      'cloud_cli_mint_duration_seconds_count{provider="azure",code="nonzero_exit"} 1',
      'cloud_cli_mint_duration_seconds_count{provider="unknown",code="invalid_request"} 1',
      'cloud_cli_ledger_head 5',
      'cloud_cli_leases{within_minutes="15"} 0',
      'cloud_cli_leases{within_minutes="60"} 1',
      'cloud_cli_leases{within_minutes="+Inf"} 1',
    ])
      expect(body).toContain(`${line}\n`);
    for (const named of ['alice', 'idp:', 'arn:']) expect(body).not.toContain(named);
    // Each line is a comment, or a name with labels and a number.
    for (const line of body.trim().split('\n')) {
      expect(line).toMatch(
        /^(?:# (?:HELP|TYPE) [a-z_]+ .+|[a-z_]+(?:\{(?:[a-z_]+="[^"\n]*",?)+\})? -?[0-9.e+-]+)$/,
      );
    }
    chmodSync(join(host.home, 'credentials'), 0o755);
    const blind = await host.call('/metrics');
    expect(blind).toMatchObject({ status: 200 });
    expect(blind.body).not.toContain('cloud_cli_leases');
  });

  it('gives every call an id, and a log line without a secret', async () => {
    const host = await newController();
    const answer = await host.call('sts', {
      body: requests.aws(),
      headers: { 'x-request-id': 'console-17', traceparent },
    });
    expect(answer.headers.get('x-request-id')).toBe('console-17');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(host.logged.at(-1)).toEqual({
      request_id: 'console-17',
      method: 'POST',
      route: '/cloud-cli/sts',
      status: 200,
      duration_ms: expect.any(Number),
      actor: 'alice@example.com',
      traceparent,
      run_id: answer.body.audit_run_id,
    });
    const odd = await host.call('handlers', {
      headers: { 'x-request-id': 'a b', traceparent: `${traceparent}0` },
    });
    expect(odd.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    expect(host.logged.at(-1)).not.toHaveProperty('traceparent');
  });

  it('describes in OpenAPI the routes that it has, with references that lead somewhere', async () => {
    const { body } = await (await newController()).call('/openapi.json');
    expect(body.openapi).toBe('3.1.0');
    expect(Object.keys(body.paths)).toEqual([
      '/cloud-cli/handlers',
      '/cloud-cli/preview',
      '/cloud-cli/sts',
      '/cloud-cli/runs/{audit_run_id}',
      '/healthz',
      '/readyz',
      '/metrics',
      '/openapi.json',
    ]);
    for (const [, name] of JSON.stringify(body).matchAll(/"#\/components\/schemas\/(\w+)"/g))
      expect(body.components.schemas).toHaveProperty([name!]);
    const { aws_request } = body.components.schemas;
    expect(aws_request).toMatchObject({
      additionalProperties: false,
      required: ['provider', 'target_credential_key', 'role_arn'],
      properties: {
        provider: { const: 'aws' },
        duration_seconds: { type: 'integer', minimum: 900, maximum: 43200, default: 3600 },
        external_id: { writeOnly: true },
        run_id: expect.any(Object),
      },
    });
  });

  it('describes in OpenAPI what its routes without a token answer', async () => {
    const host = await newController();
    const { body } = await host.call('/openapi.json');
    for (const path of ['/healthz', '/readyz']) {
      const answer = await host.call(path, { token: '' });
      const { properties, additionalProperties } = documented(body, path, answer);
      expect([path, Object.keys(properties).toSorted()]).toEqual([path, Object.keys(answer.body).toSorted()]);
      expect(additionalProperties).toBe(false);
    }
    for (const path of ['/metrics', '/openapi.json'])
      expect(documented(body, path, await host.call(path, { token: '' })).type).toMatch(
        /^(?:string|object)$/,
      );
    const away = await newController({ jwks_url: `${host.issuer.url}/nothing` });
    const unready = await away.call('/readyz', { token: '' });
    expect(unready).toMatchObject({ status: 503, body: { status: 'not_ready', jwks: false } });
    expect(documented(body, '/readyz', unready).properties.status.enum).toContain('not_ready');
  });
});
