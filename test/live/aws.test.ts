/** The real aws against an STS on loopback: what reaches STS, what comes back, and how each failure reads. */
import { statSync } from 'node:fs';
import { expect, it } from 'vitest';
import { awsEnvironment, refused } from '../../fixtures/loopback/environment.mjs';
import { startSts } from '../../fixtures/loopback/sts.mjs';
import {
  describeLive,
  expectEnvelope,
  expectFailure,
  expectNowhere,
  forAllTests,
  mintLive,
  survivorsOf,
} from './vendor.js';

const install = 'apt-get install awscli, or pip install awscli';
const role = (name: string) => `arn:aws:iam::123456789012:role/teams/${name}`;
const request = (name: string) => ({
  provider: 'aws',
  target_credential_key: 'idp:aws:prod',
  role_arn: role(name),
  duration_seconds: 900,
});

describeLive('aws', { install, ciHasIt: true }, () => {
  const lab = forAllTests(startSts);
  const environment = (operator = {}) => awsEnvironment(lab.fresh(), lab.server.url, operator);
  const lastCall = () => lab.server.calls.at(-1)!;

  it('mints, and the session in CloudTrail is named by the run', async () => {
    const env = environment();
    const minted = await mintLive(request('deploy'), env);
    const about = { credential_key: 'idp:aws:prod', source_identity: role('deploy') };
    const run_id = expectEnvelope(minted, about, 900);
    expect(lastCall().parameters).toMatchObject({
      Action: 'AssumeRole',
      RoleArn: role('deploy'),
      RoleSessionName: `cloud-cli-${run_id}`,
      DurationSeconds: '900',
    });
    expectNowhere(lastCall().issued, minted, env.HOME);
  });

  it('hands every field to STS as it was given', async () => {
    const policy =
      '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}]}';
    const more = {
      role_session_name: 'incident-42',
      sts_source_identity: 'alice',
      external_id: 'tenant/7:=@',
      policy,
      policy_arns: ['arn:aws:iam::aws:policy/ReadOnlyAccess', 'arn:aws:iam::123456789012:policy/x/narrow'],
      tags: ['cost centre=a=b +c', 'empty='],
      transitive_tag_keys: ['cost centre', 'empty'],
      serial_number: 'arn:aws:iam::111111111111:mfa/op',
      token_code: '012345',
      region: 'eu-west-1',
    };
    const minted = await mintLive({ ...request('deploy'), ...more }, environment());
    expectEnvelope(minted, { source_identity: role('deploy') }, 900);
    expect(lastCall().parameters).toEqual({
      Action: 'AssumeRole',
      Version: '2011-06-15',
      RoleArn: role('deploy'),
      DurationSeconds: '900',
      RoleSessionName: 'incident-42',
      SourceIdentity: 'alice',
      ExternalId: 'tenant/7:=@',
      Policy: policy,
      'PolicyArns.member.1.arn': 'arn:aws:iam::aws:policy/ReadOnlyAccess',
      'PolicyArns.member.2.arn': 'arn:aws:iam::123456789012:policy/x/narrow',
      'Tags.member.1.Key': 'cost centre',
      'Tags.member.1.Value': 'a=b +c',
      'Tags.member.2.Key': 'empty',
      'Tags.member.2.Value': '',
      'TransitiveTagKeys.member.1': 'cost centre',
      'TransitiveTagKeys.member.2': 'empty',
      SerialNumber: 'arn:aws:iam::111111111111:mfa/op',
      TokenCode: '012345',
    });
  });

  it.each([
    ['denied', /sts:AssumeRole.*trust policy/, /AccessDenied/],
    ['expired-login', /expired.*log it in again/, /ExpiredToken/],
    ['throttled', /wait a minute/, /Throttling/],
    ['too-long', /MaxSessionDuration/, /ValidationError/],
  ])('%s: says what to do', async (name, hint, message) => {
    const minted = await mintLive(request(name), environment());
    expectFailure(minted, { code: 'nonzero_exit', outcome: 'not_issued', hint, message });
  });

  it('not logged in: says how', async () => {
    const minted = await mintLive(request('deploy'), environment({ logged_in: false }));
    expectFailure(minted, {
      code: 'nonzero_exit',
      outcome: 'not_issued',
      hint: /aws sso login.*aws configure/,
    });
  });

  it('an unknown profile: says where they are listed', async () => {
    const minted = await mintLive({ ...request('deploy'), profile: 'nope' }, environment());
    expectFailure(minted, {
      code: 'nonzero_exit',
      outcome: 'not_issued',
      hint: /aws configure list-profiles/,
    });
  });

  it('STS refuses the connection: points at the network', async () => {
    const minted = await mintLive(request('deploy'), awsEnvironment(lab.fresh(), refused));
    expectFailure(minted, { code: 'nonzero_exit', outcome: 'not_issued', hint: /network, proxy/ });
  });

  it('STS hangs: the clock runs out, and aws is gone', async () => {
    const minted = await mintLive({ ...request('hanging'), timeout_seconds: 3 }, environment());
    expectFailure(minted, { code: 'timeout', outcome: 'unknown', hint: /run the previewed command/ });
    expect(survivorsOf(minted.error!.audit_run_id)).toEqual([]);
  });

  it('a response cut short is printed by aws, and by us masked', async () => {
    const env = environment();
    const minted = await mintLive(request('truncated-body'), env);
    expectFailure(minted, {
      code: 'nonzero_exit',
      outcome: 'unknown',
      hint: /./,
      message: /Unable to parse response/,
    });
    expectNowhere(lastCall().issued, minted, env.HOME);
  });

  it("the operator's output, pager and history settings change nothing", async () => {
    const config =
      '[default]\noutput = table\ncli_history = enabled\ncli_pager = false\nregion = eu-west-1\n';
    const env = {
      ...environment({ config }),
      AWS_DEFAULT_OUTPUT: 'text',
      AWS_PAGER: 'false',
      PAGER: 'false',
    };
    const modes = () => ['/', '/dev/null'].map((path) => statSync(path).mode);
    const before = modes();
    const minted = await mintLive(request('deploy'), env);
    expectEnvelope(minted, { source_identity: role('deploy') }, 900);
    // aws makes the file that it keeps its history in its user's alone, and root may do that to any file.
    expect(modes()).toEqual(before);
    // With cli_history aws would keep the response, secrets and all, in a database of its own.
    expectNowhere(lastCall().issued, minted, env.HOME);
  });
});
