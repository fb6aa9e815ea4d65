/** The real gcloud against an IAM Credentials API on loopback: what reaches it, and how each failure reads. */
import { expect, it } from 'vitest';
import { gcloudEnvironment, refused } from '../../fixtures/loopback/environment.mjs';
import { startIamCredentials } from '../../fixtures/loopback/iam-credentials.mjs';
import {
  describeLive,
  expectEnvelope,
  expectFailure,
  expectNowhere,
  forAllTests,
  mintLive,
  survivorsOf,
} from './vendor.js';

const install = 'https://cloud.google.com/sdk/docs/install';
const account = (name: string) => `${name}@my-project.iam.gserviceaccount.com`;
const request = (name: string) => ({
  provider: 'gcp',
  target_credential_key: 'idp:gcp:prod',
  service_account_email: account(name),
});
const hostile =
  '[core]\nuser_output_enabled = false\nlog_http = true\nverbosity = none\nshow_structured_logs = always\n';

describeLive('gcloud', { install, ciHasIt: false }, () => {
  const lab = forAllTests(startIamCredentials);
  const environment = (operator = {}) => gcloudEnvironment(lab.fresh(), lab.server.url, operator);
  const lastCall = () => lab.server.calls.at(-1)!;

  it('mints, and Google gets the run id as the reason', async () => {
    const env = environment();
    const minted = await mintLive(request('minter'), env);
    const run_id = expectEnvelope(
      minted,
      { credential_key: 'idp:gcp:prod', source_identity: account('minter') },
      3600,
    );
    expect(lastCall()).toMatchObject({ account: account('minter'), lifetime: '3600s', reason: run_id });
    expectNowhere(lastCall().issued, minted, env.HOME);
  });

  it('asks for the lifetime, through the delegates', async () => {
    const delegates = [account('first-hop'), account('second-hop')];
    const minted = await mintLive({ ...request('minter'), lifetime_seconds: 900, delegates }, environment());
    expectEnvelope(minted, { source_identity: account('minter') }, 900);
    expect(lastCall().lifetime).toBe('900s');
    expect(lastCall().delegates.map((name: string) => name.split('/').at(-1))).toEqual(delegates);
  });

  it.each([
    [
      'denied',
      /roles\/iam.serviceAccountTokenCreator.*iam.serviceAccounts.getAccessToken/,
      /PERMISSION_DENIED/,
    ],
    ['not-found', /check `service_account_email`/, /NOT_FOUND/],
    ['expired-login', /gcloud auth login/, /UNAUTHENTICATED/],
    ['throttled', /wait a minute/, /RESOURCE_EXHAUSTED/],
  ])('%s: says what to do', async (name, hint, message) => {
    const minted = await mintLive(request(name), environment());
    expectFailure(minted, { code: 'nonzero_exit', outcome: 'not_issued', hint, message });
  });

  it('not logged in: says how', async () => {
    const minted = await mintLive(request('minter'), environment({ logged_in: false }));
    expectFailure(minted, { code: 'nonzero_exit', outcome: 'not_issued', hint: /gcloud auth login/ });
  });

  it('the API refuses the connection: points at the network', async () => {
    const minted = await mintLive(request('minter'), gcloudEnvironment(lab.fresh(), refused));
    expectFailure(minted, { code: 'nonzero_exit', outcome: 'not_issued', hint: /network, proxy/ });
  });

  it('the API hangs: the clock runs out, and gcloud is gone', async () => {
    const minted = await mintLive({ ...request('hanging'), timeout_seconds: 3 }, environment());
    expectFailure(minted, { code: 'timeout', outcome: 'unknown', hint: /run the previewed command/ });
    expect(survivorsOf(minted.error!.audit_run_id)).toEqual([]);
  });

  it("the operator's settings for output, logs and verbosity change nothing", async () => {
    const env = environment({ config: hostile });
    const minted = await mintLive(request('minter'), env);
    expectEnvelope(minted, { source_identity: account('minter') }, 3600);
    expectNowhere(lastCall().issued, minted, env.HOME);
  });

  it("nor do they hide Google's refusal", async () => {
    const minted = await mintLive(request('denied'), environment({ config: hostile }));
    expectFailure(minted, {
      code: 'nonzero_exit',
      outcome: 'not_issued',
      hint: /serviceAccountTokenCreator/,
      message: /PERMISSION_DENIED/,
    });
  });
});
