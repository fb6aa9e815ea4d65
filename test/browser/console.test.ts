/** The whole chain: Chromium, `serve admin`, `serve controller`, the vendor CLIs (stand-ins, and the real aws). */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { awsEnvironment } from '../../fixtures/loopback/environment.mjs';
import { audience, startIssuer } from '../../fixtures/loopback/issuer.mjs';
import { startSts } from '../../fixtures/loopback/sts.mjs';
import { locate } from '../../src/locate.js';
import { cloudCli, fixturePath, freshEnvironment, root, startCloudCli, until } from '../support.js';
import { describeChromium, expectNowhere, picture } from './chromium.js';
import { confirm, expectQuiet, fact, fillAws, mint, preview, role, signIn } from './operator.js';
import { base } from './stub-console.js';

const canary = ['canary', Date.now().toString(36)].join('-');
/** This machine's PATH, without the stand-ins. */
const realPath = (process.env.PATH ?? '')
  .split(delimiter)
  .filter((directory) => !directory.startsWith(join(root, 'fixtures')))
  .join(delimiter);

async function serve(args: string[], env: NodeJS.ProcessEnv) {
  const child = startCloudCli(['serve', ...args, '--port', '0'], env);
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  onTestFinished(async () => {
    child.kill('SIGKILL');
  });
  const url = await until(() => {
    if (child.exitCode !== null) throw new Error(stderr);
    return /listening on (\S+)/.exec(stderr)?.[1];
  });
  return { child, url, logged: () => stderr };
}

/** Both sides as processes of their own; the admin side has an empty PATH. */
async function startChain({
  vendor = { PATH: fixturePath, FIXTURE_CANARY: canary },
  allow,
}: {
  vendor?: NodeJS.ProcessEnv;
  allow?: object[];
} = {}) {
  const issuer = await startIssuer();
  const trust = {
    CLOUD_CLI_JWT_ISSUER: issuer.url,
    CLOUD_CLI_JWT_AUDIENCE: audience,
    CLOUD_CLI_JWKS_URL: issuer.jwks_url,
  };
  const env = freshEnvironment({ ...trust, ...vendor });
  if (allow) {
    const config = join(env.HOME!, 'config.json');
    writeFileSync(config, JSON.stringify({ allow }));
    env.CLOUD_CLI_CONFIG = config;
  }
  const controller = await serve(['controller', ...(allow ? [] : ['--allow-all'])], env);
  const admin = await serve(['admin'], {
    ...trust,
    PATH: '',
    HOME: env.HOME,
    CLOUD_CLI_HOME: join(env.HOME!, 'admin'),
    CLOUD_CLI_CONTROLLER_URL: controller.url,
    CLOUD_CLI_OIDC_CLIENT_ID: 'console',
  });
  const url = `${admin.url.replace(/\/$/, '')}${base}/`;
  issuer.signIn.clients.set('console', [url]);
  onTestFinished(async () => {
    await issuer.close();
  });
  return { issuer, controller, admin, env, url };
}

type Chain = Awaited<ReturnType<typeof startChain>>;

/** What the ledger says on the control-plane host itself. */
async function ledgerRow({ env }: Chain, run_id: string) {
  return JSON.parse((await cloudCli(['audit', 'show', run_id, '--json'], env)).stdout);
}

const previewing = 'Previewing…';

describeChromium('the console', (lab) => {
  it('mints after one step-up, and the token is in the store alone', async () => {
    const chain = await startChain();
    const operator = await lab.open();
    const { page } = operator;
    // An operator who signed in a while ago.
    chain.issuer.signIn.access = { auth_time: Math.floor(Date.now() / 1000) - 200 };
    await signIn(operator, chain);
    chain.issuer.signIn.access = {};
    chain.issuer.ageSessions(200);
    await fillAws(operator, { external_id: `${canary}-external` });
    await page.getByRole('button', { name: 'Preview', exact: true }).click();
    await page.getByRole('dialog', { name: 'Confirm it is you' }).waitFor();
    expect(await page.getByRole('button', { name: previewing, includeHidden: true }).count()).toBe(1);
    await confirm(operator);
    await page.getByRole('heading', { name: 'Preview' }).waitFor();
    expect(await fact(operator, 'Binary')).toContain('fixtures/bin/aws');
    await mint(operator);
    await page.getByRole('heading', { name: 'Minted' }).waitFor();
    expect(chain.issuer.signIn.signIns).toBe(2);
    const run_id = await fact(operator, 'audit_run_id');
    await page.getByRole('button', { name: 'Show the ledger row' }).click();
    await page.getByRole('table', { name: 'Ledger row' }).waitFor();
    await picture(page, 'console-minted');
    expect(await ledgerRow(chain, run_id)).toMatchObject({
      status: 'SUCCEEDED',
      actor: 'alice@example.com',
      credential_key: 'idp:aws:prod',
    });
    const used = await cloudCli(['exec', 'idp:aws:prod', '--', '/usr/bin/env'], chain.env);
    expect(used.stdout).toContain(`AWS_SECRET_ACCESS_KEY=${canary}secret`);
    await expectNowhere(operator, [canary, ...chain.issuer.signIn.tokens]);
    expect(chain.admin.logged() + chain.controller.logged()).not.toContain(canary);
    expectQuiet(operator);
  });

  it('mints with GCP and Azure too, one after the other', async () => {
    const chain = await startChain();
    const operator = await lab.open();
    const { page } = operator;
    await signIn(operator, chain);
    for (const [title, key, label, value] of [
      ['GCP', 'idp:gcp:prod', 'Service account', 'minter@my-project.iam.gserviceaccount.com'],
      ['Azure', 'idp:azure:prod', 'Resource', 'https://vault.example/'],
    ] as const) {
      await page.getByLabel(title).check();
      await page.getByRole('button', { name: 'Continue' }).click();
      await page.getByLabel('Credential key').fill(key);
      const field = page.getByLabel(label, { exact: label === 'Resource' });
      if (!(await field.isVisible())) await page.getByText('More options').click();
      await field.fill(value);
      await preview(operator);
      await mint(operator);
      await page.getByRole('heading', { name: 'Minted' }).waitFor();
      expect(await fact(operator, 'credential_key')).toBe(key);
      await page.getByRole('button', { name: 'Mint another' }).click();
    }
    await expectNowhere(operator, [canary]);
    expectQuiet(operator);
  });

  it('tells of a denial and of a timeout as the ledger does', async () => {
    const chain = await startChain();
    const operator = await lab.open();
    const { page } = operator;
    await signIn(operator, chain);
    await fillAws(operator, { role_arn: role('denied') });
    await preview(operator);
    await mint(operator);
    await page.getByRole('heading', { name: "The vendor's CLI failed" }).waitFor();
    expect(await fact(operator, 'In the cloud')).toBe('Nothing: no credential was issued.');
    expect(await fact(operator, 'What to do')).toMatch(/sts:AssumeRole/);
    expect(await ledgerRow(chain, await fact(operator, 'Run'))).toMatchObject({
      status: 'FAILED',
      error: { code: 'nonzero_exit' },
    });

    await page.getByRole('button', { name: 'Edit the request' }).click();
    await page.getByLabel('Role ARN').fill(role('hanging'));
    await page.getByText('More options').click();
    await page.getByLabel('Timeout').fill('1');
    await preview(operator);
    await mint(operator);
    await page.getByRole('heading', { name: 'It took too long' }).waitFor();
    expect(await fact(operator, 'In the cloud')).toMatch(/^The cloud may hold a live credential until 2/);
    const row = await ledgerRow(chain, await fact(operator, 'Run'));
    expect(row).toMatchObject({ status: 'FAILED', error: { code: 'timeout' }, outcome: 'unknown' });
    await picture(page, 'console-timeout');
    expectQuiet(operator);
  });

  it('ends the run of a mint that is cancelled', async () => {
    const chain = await startChain();
    const operator = await lab.open();
    const { page } = operator;
    await signIn(operator, chain);
    await fillAws(operator, { role_arn: role('hanging') });
    await preview(operator);
    const run_id = await fact(operator, 'Run ID');
    await mint(operator);
    await until(async () => (await cloudCli(['audit', 'show', run_id], chain.env)).code === 0);
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('heading', { name: 'The mint was cancelled' }).waitFor();
    await until(async () => (await ledgerRow(chain, run_id)).status === 'FAILED');
    await page.getByRole('button', { name: 'Look the run up' }).click();
    await page.getByRole('cell', { name: /^cancelled: / }).waitFor();
    expectQuiet(operator);
  });

  it('marks the fields that the controller refuses', async () => {
    const chain = await startChain();
    const operator = await lab.open();
    const { page } = operator;
    await signIn(operator, chain);
    await fillAws(operator, { key: 'Nonsense', role_arn: 'arn' });
    await page.getByRole('button', { name: 'Preview', exact: true }).click();
    await page.getByText('2 things are wrong').waitFor();
    expect(await page.getByLabel('Role ARN').getAttribute('aria-invalid')).toBe('true');
    expectQuiet(operator);
  });

  it('shows a missing binary, and what an allow rule does not cover', async () => {
    const chain = await startChain({
      vendor: { PATH: '/nonexistent' },
      allow: [{ identities: [role('deploy')] }],
    });
    const operator = await lab.open();
    const { page } = operator;
    await signIn(operator, chain);
    await page.getByText('aws: not on the control-plane host').waitFor();
    await fillAws(operator, { role_arn: role('admin') });
    await preview(operator);
    expect(await fact(operator, 'Policy')).toContain('denied');
    await page.getByRole('button', { name: 'Mint it all the same' }).click();
    await page.getByRole('heading', { name: 'No allow rule covers this' }).waitFor();
    await page.getByRole('button', { name: 'Edit the request' }).click();
    await page.getByLabel('Role ARN').fill(role());
    await preview(operator);
    expect(await fact(operator, 'Policy')).toContain('allowed by rule 0');
    await page.getByRole('button', { name: 'Mint it all the same' }).click();
    await page.getByRole('heading', { name: "The vendor's CLI is missing" }).waitFor();
    expectQuiet(operator);
  });

  it('tells of a controller that is away', async () => {
    const chain = await startChain();
    const operator = await lab.open();
    const { page } = operator;
    await signIn(operator, chain);
    await fillAws(operator);
    await preview(operator);
    chain.controller.child.kill('SIGKILL');
    await mint(operator);
    await page.getByRole('heading', { name: 'The controller does not answer' }).waitFor();
    // A connection that was refused carried nothing; one that broke may have.
    const told = await fact(operator, 'In the cloud');
    expect(told).toMatch(/^(?:Nothing: no credential was issued|The cloud may hold a live credential)/);
    const ledger = page.getByRole('button', { name: /^(?:Show the ledger row|Look the run up)$/ });
    expect(await ledger.count()).toBe(told.startsWith('Nothing') ? 0 : 1);
    await picture(page, 'console-away');
    expectQuiet(operator);
  });

  const aws = locate('aws', realPath);
  it.skipIf(aws === undefined)('ends in the real aws, on loopback', async () => {
    const sts = await startSts();
    const directory = mkdtempSync(join(tmpdir(), 'cloud-cli-console-'));
    onTestFinished(async () => {
      await sts.close();
      rmSync(directory, { recursive: true, force: true, maxRetries: 10 });
    });
    const chain = await startChain({ vendor: { ...awsEnvironment(directory, sts.url), PATH: realPath } });
    const operator = await lab.open();
    const { page } = operator;
    await signIn(operator, chain);
    await fillAws(operator);
    await preview(operator);
    await mint(operator);
    await page.getByRole('heading', { name: 'Minted' }).waitFor();
    const run_id = await fact(operator, 'audit_run_id');
    expect(sts.calls[0]!.parameters).toMatchObject({
      RoleArn: role(),
      RoleSessionName: `cloud-cli-${run_id}`,
    });
    await expectNowhere(operator, [...sts.calls[0]!.issued, ...chain.issuer.signIn.tokens]);
    expectQuiet(operator);
  });
});
