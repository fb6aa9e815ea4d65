/** The admin side in front of a real controller, over real HTTP between the two. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type AdminOptions, createAdminHandler } from '../../src/http/admin.js';
import type { ControllerOptions } from '../../src/http/controller.js';
import { serveHttp } from '../../src/http/server.js';
import { newRunId } from '../../src/run-id.js';
import { requests, until } from '../support.js';
import { caller, documented, newController, newIssuer, trust } from './support.js';

const base = 'http://localhost/admin/settings/credentials/cloud-cli';

/** An admin side with its controller behind it. */
async function newConsole(more: Partial<AdminOptions> = {}, behind: Partial<ControllerOptions> = {}) {
  const controller = await newController(behind);
  const serving = await serveHttp(controller.handler, '127.0.0.1', 0);
  onTestFinished(() => serving.close());
  const logged: Record<string, unknown>[] = [];
  const log = (members: object) => void logged.push({ ...members });
  const handler = createAdminHandler({
    ...trust(controller.issuer),
    controller_url: serving.url,
    log: { debug: log, info: log, error: log },
    ...more,
  });
  return { controller, serving, handler, logged, call: caller(handler, controller.issuer, base) };
}

/** An admin side whose controller is whatever the test makes of it. */
async function behind(answer: Parameters<typeof createServer>[1]) {
  const issuer = await newIssuer();
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const controller_url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return caller(createAdminHandler({ ...trust(issuer), controller_url }), issuer, base);
}

describe('the admin side', () => {
  it('lists, previews, mints and shows the run as the controller does', async () => {
    const { controller, call } = await newConsole();
    expect((await call('handlers')).body).toEqual((await controller.call('handlers')).body);
    const shown = await call('preview', { body: requests.aws() });
    expect(shown).toMatchObject({ status: 200, body: { provider: 'aws', binary_present: true } });
    const minted = await call('sts', { body: { ...requests.aws(), run_id: shown.body.run_id } });
    expect(minted).toMatchObject({ status: 200, body: { audit_run_id: shown.body.run_id } });
    const run = await call(`runs/${shown.body.run_id}`);
    expect(run.body).toEqual(await controller.audit.get(shown.body.run_id));
    expect(run.body).toMatchObject({ actor: 'alice@example.com', status: 'SUCCEEDED' });
  });

  it('passes on the trace and its request id, so that both logs tell of one call', async () => {
    const { controller, call } = await newConsole();
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    await call('handlers', { headers: { traceparent, 'x-request-id': 'console-18' } });
    expect(controller.logged.at(-1)).toMatchObject({ request_id: 'console-18', traceparent });
  });

  it('gives the controller’s failures as they are, with what lives in the cloud', async () => {
    const { call } = await newConsole();
    expect(await call('sts', { body: requests.aws('denied') })).toMatchObject({
      status: 502,
      body: { code: 'nonzero_exit', outcome: 'not_issued', audit_run_id: expect.any(String) },
    });
    expect(await call('sts', { body: { ...requests.gcp('hanging'), timeout_seconds: 1 } })).toMatchObject({
      status: 504,
      body: { code: 'timeout', outcome: 'unknown', live_until: expect.any(String) },
    });
    const wrong = await call('sts', { body: { ...requests.aws(), role_arn: 'x' } });
    expect(wrong).toMatchObject({ status: 400, body: { issues: [{ field: 'role_arn' }] } });
    expect(await call(`runs/${newRunId()}`)).toMatchObject({ status: 404, body: { code: 'not_found' } });
  });

  it('asks for a step-up by itself, and passes on a stricter one of the controller', async () => {
    const own = await newConsole();
    const stale = { auth_time: Math.floor(Date.now() / 1000) - 200 };
    const answer = await own.call('preview', { body: requests.aws(), claims: stale });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toMatch(/max_age="180"$/);
    expect(own.controller.logged).toEqual([]);
    const strict = await newConsole({}, { step_up_max_age_seconds: 60 });
    const older = { auth_time: Math.floor(Date.now() / 1000) - 90 };
    const passed = await strict.call('sts', { body: requests.aws(), claims: older });
    expect(passed.body.code).toBe('insufficient_user_authentication');
    expect(passed.headers.get('www-authenticate')).toMatch(
      /^Bearer error="insufficient_user_authentication", error_description="[^"]+", max_age="60"$/,
    );
  });

  it('says of a controller that is not there that nothing was sent', async () => {
    const { serving, call } = await newConsole();
    await serving.close();
    const answer = await call('sts', { body: requests.aws() });
    expect(answer).toMatchObject({
      status: 502,
      body: { code: 'upstream_unavailable', outcome: 'not_issued' },
    });
    expect((await call('handlers')).body).not.toHaveProperty('outcome');
    expect(await call('/readyz')).toMatchObject({ status: 503, body: { controller: false, jwks: true } });
    expect((await call('/healthz')).status).toBe(200);
  });

  it('says of a controller that goes away midway that the run may be live, and which one it is', async () => {
    const call = await behind((request) => request.on('data', () => request.socket.destroy()));
    const run_id = newRunId();
    expect(await call('sts', { body: { ...requests.aws(), run_id } })).toMatchObject({
      status: 502,
      body: { code: 'upstream_unavailable', outcome: 'unknown', audit_run_id: run_id },
    });
    // A caller that named no run can look it up all the same.
    const unnamed = await call('sts', { body: requests.aws() });
    expect(unnamed.body.audit_run_id).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('cancels at the controller what its own client gives up', async () => {
    const { controller, call, logged } = await newConsole();
    const stop = new AbortController();
    const given = call('sts', { body: requests.aws('hanging'), signal: stop.signal });
    await until(() => controller.spawned() === 1);
    stop.abort();
    await given;
    expect(logged.at(-1)).toMatchObject({ status: 499, code: 'cancelled' });
    const row = await until(async () => (await controller.audit.list({ status: 'FAILED' }))[0]);
    expect(row).toMatchObject({ error: { code: 'cancelled' } });
  });

  it('rebuilds answers: what a controller adds, and its headers, stay behind', async () => {
    const leak = { access_token: 'x', envelope: { secret: 'x' } };
    const call = await behind((request, response) => {
      request.resume();
      response.setHeader('set-cookie', 'a=b');
      response.setHeader('content-type', 'text/html');
      const envelope = {
        credential_key: 'idp:aws:prod',
        expires_at: '2026-11-25T12:00:00Z',
        source_identity: 'x',
        audit_run_id: newRunId(),
      };
      response.end(JSON.stringify({ ...envelope, ...leak }));
    });
    const answer = await call('sts', { body: requests.aws() });
    expect(answer).toMatchObject({ status: 200, body: { credential_key: 'idp:aws:prod' } });
    expect(Object.keys(answer.body)).toHaveLength(4);
    expect([answer.headers.get('set-cookie'), answer.headers.get('content-type')]).toEqual([
      null,
      'application/json',
    ]);
  });

  it('follows no redirect', async () => {
    let calls = 0;
    const call = await behind((request, response) => {
      calls += 1;
      request.resume();
      response.writeHead(307, { location: '/elsewhere' }).end();
    });
    const answer = await call('sts', { body: requests.aws() });
    expect(answer).toMatchObject({ status: 502, body: { code: 'upstream_unavailable', outcome: 'unknown' } });
    expect(answer.headers.get('location')).toBeNull();
    expect(calls).toBe(1);
  });

  it('keeps the path of a controller behind a proxy', async () => {
    const controller = await newController();
    const serving = await serveHttp(
      Object.assign(
        (request: Request) =>
          controller.handler(new Request(request.url.replace('/mint-host/', '/'), request)),
        { drain: controller.handler.drain },
      ),
      '127.0.0.1',
      0,
    );
    onTestFinished(() => serving.close());
    const handler = createAdminHandler({
      ...trust(controller.issuer),
      controller_url: `${serving.url}/mint-host/`,
    });
    expect((await caller(handler, controller.issuer, base)('handlers')).status).toBe(200);
  });

  it('serves the page and its files, which nobody may frame, to whoever has not signed in yet', async () => {
    const { call, controller } = await newConsole({ oidc_client_id: 'console' });
    for (const path of ['', '/']) {
      const page = await call(`/admin/settings/credentials/cloud-cli${path}`, { token: '' });
      expect(page.status).toBe(200);
      expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
      const policy = page.headers.get('content-security-policy')!.split('; ');
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).toContain("script-src 'self'");
      expect(policy).toContain(`connect-src 'self' ${controller.issuer.url}`);
      const files = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file]) => file);
      expect(files.length).toBeGreaterThanOrEqual(2);
      for (const file of files) expect((await call(file, { token: '' })).status).toBe(200);
    }
    for (const file of ['admin.js', '..%2fhttp%2fadmin.js', 'constructor', 'page.js%00'])
      expect((await call(`assets/${file}`, { token: '' })).body).toMatchObject({
        status: 404,
        code: 'not_found',
      });
  });

  it('describes its own routes in OpenAPI', async () => {
    const { call } = await newConsole();
    const { body } = await call('/openapi.json');
    expect(Object.keys(body.paths)).toContain('/admin/settings/credentials/cloud-cli/sts');
    for (const path of ['/healthz', '/readyz']) {
      const answer = await call(path, { token: '' });
      const { properties } = documented(body, path, answer);
      expect([path, Object.keys(properties).toSorted()]).toEqual([path, Object.keys(answer.body).toSorted()]);
    }
    for (const path of [base, `${base}/`]) {
      const page = await call(new URL(path, 'http://localhost').pathname, { token: '' });
      expect(documented(body, path.replace('http://localhost', ''), page)).toEqual({ type: 'string' });
    }
    const icon = await call('assets/icon.svg', { token: '' });
    expect(documented(body, '/admin/settings/credentials/cloud-cli/assets/{name}', icon).type).toBe('string');
  });
});
