/** A controller that dies by SIGKILL under load leaves a ledger that verifies, and the next start closes its runs. */
import { expect, it } from 'vitest';
import { cloudCli, isAlive, requests, until } from '../../support.js';
import { controllerPath, startHost } from './processes.js';

const words = ['hanging', 'slow', 'deploy', 'stubborn', 'deploy', 'grandchild', 'denied', 'deploy'];

it('a controller killed under load', async () => {
  const host = await startHost({}, false);
  const { controller, issuer } = host;
  const token = await issuer.token();
  const answered: { status: number; audit_run_id: string }[] = [];
  let stopped = false;
  // Each caller mints one key again and again.
  const callers = words.map(async (word, index) => {
    const request = { ...requests.aws(word), target_credential_key: `idp:aws:key-${index}` };
    while (!stopped) {
      const response = await fetch(controller.url + controllerPath('sts'), {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify(request),
      }).catch(() => undefined);
      const body = (await response?.json().catch(() => undefined)) as { audit_run_id: string } | undefined;
      if (!response || !body) return;
      answered.push({ status: response.status, audit_run_id: body.audit_run_id });
    }
  });
  const isStuck = (word: string) =>
    host.spawned().some(({ argv }) => argv.some((arg) => arg.endsWith(`/${word}`)));
  const stuck = ['hanging', 'stubborn', 'grandchild'];
  await until(() => answered.length >= 12 && host.spawned().length >= 16 && stuck.every(isStuck));
  controller.child.kill('SIGKILL');
  stopped = true;
  await Promise.all(callers);
  expect(await controller.ended).toBe('SIGKILL');

  const left = host.spawned().filter(({ pid }) => isAlive(pid));
  expect(left.length).toBeGreaterThanOrEqual(3);
  const next = await host.startController();
  await until(() => !left.some(({ pid }) => isAlive(pid)));
  expect((await cloudCli(['audit', 'verify'], host.env)).code).toBe(0);
  const rows = await host.rows();
  expect(rows.filter(({ status }) => status === 'PENDING')).toEqual([]);
  const abandoned = rows.filter(({ error }) => error?.code === 'abandoned');
  expect(abandoned.length).toBeGreaterThanOrEqual(3);
  for (const { outcome } of abandoned) expect(['unknown', 'issued']).toContain(outcome);
  expect(abandoned.filter(({ error }) => error?.message.includes('was ended')).length).toBeGreaterThanOrEqual(
    3,
  );

  // Who was answered finds what he was told, and who was not finds his run closed.
  const byId = new Map(rows.map((row) => [row.run_id, row.status]));
  for (const { status, audit_run_id } of answered)
    expect([audit_run_id, byId.get(audit_run_id)]).toEqual([
      audit_run_id,
      status === 200 ? 'SUCCEEDED' : 'FAILED',
    ]);
  const response = await fetch(next.url + controllerPath('sts'), {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ ...requests.aws(), target_credential_key: 'idp:aws:key-0' }),
  });
  expect(response.status).toBe(200);
});
