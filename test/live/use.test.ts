/** The real vendor CLIs using what was minted: through `exec`, and as an AWS profile's credential_process. */
import { spawn } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { awsEnvironment, gcloudEnvironment } from '../../fixtures/loopback/environment.mjs';
import { startIamCredentials } from '../../fixtures/loopback/iam-credentials.mjs';
import { startSts } from '../../fixtures/loopback/sts.mjs';
import { cloudCli, collect, root } from '../support.js';
import { describeLive, forAllTests } from './vendor.js';

const withPath = (env: Record<string, string>): NodeJS.ProcessEnv => ({
  ...env,
  PATH: process.env.PATH,
  CLOUD_CLI_HOME: join(env.HOME!, 'cloud-cli'),
});
const mintAws = [
  'mint',
  '--provider',
  'aws',
  '--target-credential-key',
  'idp:aws:prod',
  '--role-arn',
  'arn:aws:iam::123456789012:role/deploy',
  '--role-session-name',
  'incident-42',
];
const session = 'arn:aws:sts::123456789012:assumed-role/deploy/incident-42';

describeLive('aws', { install: 'apt-get install awscli', ciHasIt: true }, () => {
  const lab = forAllTests(startSts);

  it('is the minted session in exec, whatever parent credential stands in the environment', async () => {
    const env = withPath(awsEnvironment(lab.fresh(), lab.server.url));
    expect((await cloudCli(mintAws, env)).code).toBe(0);
    const ran = await cloudCli(
      ['exec', 'idp:aws:prod', '--', 'aws', 'sts', 'get-caller-identity', '--output', 'json'],
      { ...env, AWS_PROFILE: 'nope' },
    );
    expect([ran.code, ran.stderr]).toEqual([0, '']);
    expect(JSON.parse(ran.stdout)).toMatchObject({ Arn: session });
  });

  it('is the minted session of a profile whose credential_process is ours', async () => {
    const env = withPath(awsEnvironment(lab.fresh(), lab.server.url));
    expect((await cloudCli(mintAws, env)).code).toBe(0);
    const ours = `${process.execPath} ${join(root, 'bin', 'cloud-cli.js')} credential-process idp:aws:prod`;
    appendFileSync(join(env.HOME!, '.aws', 'config'), `\n[profile minted]\ncredential_process = ${ours}\n`);
    const { AWS_ACCESS_KEY_ID: _, AWS_SECRET_ACCESS_KEY: __, ...without } = env;
    const asked = ['--profile', 'minted', 'sts', 'get-caller-identity', '--output', 'json'];
    const said = await collect(spawn('aws', asked, { env: without }));
    expect([said.code, said.stderr]).toEqual([0, '']);
    expect(JSON.parse(said.stdout)).toMatchObject({ Arn: session });
  });
});

describeLive('gcloud', { install: 'https://cloud.google.com/sdk/docs/install', ciHasIt: false }, () => {
  const lab = forAllTests(startIamCredentials);

  it('has the minted token in exec, not the parent account’s', async () => {
    const env = withPath(gcloudEnvironment(lab.fresh(), lab.server.url));
    const mint = [
      'mint',
      '--provider',
      'gcp',
      '--target-credential-key',
      'idp:gcp:prod',
      '--service-account-email',
      'minter@my-project.iam.gserviceaccount.com',
    ];
    expect((await cloudCli(mint, env)).code).toBe(0);
    const ran = await cloudCli(['exec', 'idp:gcp:prod', '--', 'gcloud', 'auth', 'print-access-token'], env);
    const issued = lab.server.calls.flatMap((call: { issued: string[] }) => call.issued);
    expect(issued).toContain(ran.stdout.trim());
  });
});
