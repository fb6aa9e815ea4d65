/** One contract for every example of embedding: what its readers will rely on, whatever the framework. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CredentialKey } from '../../src/index.js';
import { requests, until } from '../support.js';
import { examples, type Server, startExample } from './server.js';

const admin = '/admin/settings/credentials/cloud-cli';
const secondsAgo = (seconds: number) => Math.floor(Date.now() / 1000) - seconds;
const problem = /^application\/problem\+json/;

describe.each(examples)('the example for %s', (example) => {
  let server: Server;
  beforeAll(async () => {
    server = await startExample(example);
  });
  afterAll(() => server?.close());

  /** How many runs the ledger has. */
  const runs = async () => (await server.audit.list()).length;

  it('mints on its own route, as the operator of the token', async () => {
    const { status, body } = await server.call('/credentials', { body: requests.aws() });
    expect([status, Object.keys(body).toSorted()]).toEqual([
      200,
      ['audit_run_id', 'credential_key', 'expires_at', 'source_identity'],
    ]);
    expect(await server.audit.get(body.audit_run_id)).toMatchObject({
      status: 'SUCCEEDED',
      actor: 'alice@example.com',
    });
    const kept = await server.store.describe(new CredentialKey('idp', 'aws:prod'));
    expect(kept).toMatchObject({ audit_run_id: body.audit_run_id });
  });

  it('answers a failing mint with a problem that names its run', async () => {
    const answer = await server.call('/credentials', { body: requests.aws('denied') });
    expect(answer).toMatchObject({ status: 502, body: { status: 502, code: 'nonzero_exit' } });
    expect(answer.headers.get('content-type')).toMatch(problem);
    expect(answer.body.hint).toContain('sts:AssumeRole');
    expect(await server.audit.get(answer.body.audit_run_id)).toMatchObject({
      status: 'FAILED',
      error: { code: 'nonzero_exit' },
    });
  });

  it('names the field of an invalid request, and records nothing', async () => {
    const before = await runs();
    const body = { ...requests.aws(), role_arn: 'deploy' };
    const answer = await server.call('/credentials', { body });
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect(answer.body.issues).toEqual([
      { field: 'role_arn', message: expect.stringContaining('ARN of an IAM role') },
    ]);
    expect(await runs()).toBe(before);
  });

  it("leaves a body that is no JSON to its framework, which calls it the client's mistake", async () => {
    const before = await runs();
    const { status } = await server.call('/credentials', { body: '{"provider":' });
    expect(status).toBe(400);
    expect(await runs()).toBe(before);
  });

  it('mints for nobody who is not signed in, and nothing that its rules do not cover', async () => {
    const before = await runs();
    for (const token of ['', 'nonsense'])
      expect((await server.call('/credentials', { body: requests.aws(), token })).status).toBe(401);
    const claims = { sub: 'mallory@example.org' };
    for (const path of ['/credentials', '/cloud-cli/sts'])
      expect(await server.call(path, { body: requests.aws(), claims })).toMatchObject({
        status: 403,
        body: { code: 'policy_denied' },
      });
    expect(await runs()).toBe(before);
  });

  it('cancels the run of a client that goes away', async () => {
    const client = new AbortController();
    const answer = server.call('/credentials', { body: requests.aws('hanging'), signal: client.signal });
    const run = await until(async () => (await server.audit.list({ status: 'PENDING' }))[0]);
    client.abort();
    await expect(answer).rejects.toThrow(/abort/);
    await until(async () => (await server.audit.get(run.run_id))?.error?.code === 'cancelled');
  });

  it('serves the controller, whose bodies nobody reads before it', async () => {
    expect((await server.call('/cloud-cli/handlers')).body).toHaveLength(3);
    const minted = await server.call('/cloud-cli/sts', { body: requests.gcp() });
    expect(minted).toMatchObject({ status: 200, body: { credential_key: 'idp:gcp:prod' } });
    const { audit_run_id } = minted.body;
    expect((await server.call(`/cloud-cli/runs/${audit_run_id}`)).body).toMatchObject({
      status: 'SUCCEEDED',
    });
  });

  it.each(['/cloud-cli', admin])('asks at %s for a recent authentication', async (base) => {
    const before = await runs();
    const claims = { auth_time: secondsAgo(200) };
    const answer = await server.call(`${base}/sts`, { body: requests.aws(), claims });
    expect(answer).toMatchObject({ status: 401, body: { code: 'insufficient_user_authentication' } });
    expect(answer.headers.get('content-type')).toMatch(problem);
    const challenge = answer.headers.get('www-authenticate');
    expect(challenge).toMatch(/^Bearer error="insufficient_user_authentication", .*max_age="180"/);
    expect(await runs()).toBe(before);
  });

  it('serves the admin side and its page', async () => {
    for (const path of [admin, `${admin}/`]) {
      const page = await server.call(path, { token: '' });
      expect([path, page.status, page.body]).toEqual([path, 200, expect.stringContaining('<main>')]);
    }
    const minted = await server.call(`${admin}/sts`, { body: requests.azure() });
    expect(minted).toMatchObject({ status: 200, body: { credential_key: 'idp:azure:prod' } });
  });

  it('ends on SIGTERM when what is in flight is answered, and takes nothing new', async () => {
    const before = await runs();
    const mints = [
      server.call('/credentials', { body: requests.aws('slow') }),
      server.call('/cloud-cli/sts', { body: requests.gcp('slow') }),
    ];
    await until(async () => (await runs()) === before + 2);
    server.terminate();
    const late = until(() =>
      server.call('/cloud-cli/handlers').then(
        ({ status }) => status === 503,
        () => true,
      ),
    );
    await late;
    expect((await Promise.all(mints)).map(({ status }) => status)).toEqual([200, 200]);
    const { code, signal, stderr } = await server.ended;
    // Nest ends by the signal itself.
    expect([code ?? signal, stderr]).toEqual([example === 'nestjs' ? 'SIGTERM' : 0, '']);
    expect(await server.audit.list({ status: 'PENDING' })).toEqual([]);
    expect((await server.audit.verify()).ok).toBe(true);
  });
});
