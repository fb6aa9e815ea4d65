/** The real az against a managed identity's endpoint on loopback: what reaches it, and how each failure reads. */
import { beforeAll, expect, it } from 'vitest';
import { azEnvironment, refused } from '../../fixtures/loopback/environment.mjs';
import { startMsi, subscriptionId } from '../../fixtures/loopback/msi.mjs';
import {
  describeLive,
  expectEnvelope,
  expectFailure,
  expectNowhere,
  forAllTests,
  mintLive,
  survivorsOf,
} from './vendor.js';

const install = 'apt-get install azure-cli';
const request = (name: string) => ({
  provider: 'azure',
  target_credential_key: 'idp:azure:prod',
  resource: `https://${name}.example/`,
});

describeLive('az', { install, ciHasIt: true }, () => {
  const lab = forAllTests(startMsi);
  const environment = (operator = {}) => azEnvironment(lab.fresh(), lab.server.url, operator);
  const lastCall = () => lab.server.calls.at(-1)!;

  // In a fresh directory az first indexes its commands, which takes seconds: once is enough.
  let env: ReturnType<typeof environment>;
  beforeAll(() => {
    env = environment();
  });

  it('mints for the default subscription', async () => {
    const minted = await mintLive(request('vault'), env);
    const about = { credential_key: 'idp:azure:prod', source_identity: subscriptionId };
    expectEnvelope(minted, about, 3600);
    expect(lastCall().resource).toBe('https://vault.example/');
    expectNowhere(lastCall().issued, minted, env.HOME);
  });

  it('mints for a scope of a named subscription', async () => {
    const { resource: _, ...rest } = request('vault');
    const asked = { ...rest, scope: 'https://vault.example/.default', subscription: 'loopback' };
    expectEnvelope(await mintLive(asked, env), { source_identity: subscriptionId }, 3600);
    expect(lastCall().resource).toBe('https://vault.example');
  });

  it.each([
    ['denied', 'not_issued', /managed identity.*check that it is assigned/, /403/],
    // A server that failed by itself may have issued the token before it did.
    ['broken', 'unknown', /run again/, /500/],
  ])('the managed identity answers %s: says what to do', async (name, outcome, hint, message) => {
    expectFailure(await mintLive(request(name), env), { code: 'nonzero_exit', outcome, hint, message });
  });

  it('an unknown subscription: says where they are listed', async () => {
    const minted = await mintLive({ ...request('vault'), subscription: 'nope' }, env);
    expectFailure(minted, { code: 'nonzero_exit', outcome: 'not_issued', hint: /az account list/ });
  });

  it('not logged in: says how', async () => {
    const minted = await mintLive(request('vault'), environment({ logged_in: false }));
    expectFailure(minted, { code: 'nonzero_exit', outcome: 'not_issued', hint: /az login/ });
  });

  it('the endpoint refuses the connection: says what to check', async () => {
    const minted = await mintLive(request('vault'), { ...env, MSI_ENDPOINT: `${refused}/MSI/token` });
    expectFailure(minted, { code: 'nonzero_exit', outcome: 'not_issued', hint: /managed identity/ });
  });

  it('the endpoint hangs: the clock runs out, and az is gone', async () => {
    const minted = await mintLive({ ...request('hanging'), timeout_seconds: 3 }, env);
    expectFailure(minted, { code: 'timeout', outcome: 'unknown', hint: /run the previewed command/ });
    expect(survivorsOf(minted.error!.audit_run_id)).toEqual([]);
  });

  it.each(['none', 'table'])("the operator's output = %s and time zone change nothing", async (output) => {
    const config = `[core]\noutput = ${output}\n[logging]\nenable_log_file = yes\n`;
    const hostile = { ...environment({ config }), AZURE_CORE_OUTPUT: output, TZ: 'America/New_York' };
    const minted = await mintLive(request('vault'), hostile);
    // New York's local time taken for UTC would be hours off.
    expectEnvelope(minted, { source_identity: subscriptionId }, 3600);
    expectNowhere(lastCall().issued, minted, hostile.HOME);
  });
});
