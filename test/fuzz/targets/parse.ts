/** Any answer of a vendor CLI: a credential whose secrets are hidden, or a failure of ours that quotes nothing. */
import { inspect } from 'node:util';
import { isCloudCliError } from '../../../src/errors.js';
import { checkRequest } from '../../../src/request.js';
import { Secret } from '../../../src/secret.js';
import { Choices } from '../choices.js';
import { expectThat, type Target } from '../target.js';

const canary = 'Canary7Qz5';
const guid = '00000000-0000-0000-0000-000000000001';
const key = { target_credential_key: 'a:b' };
const requests = [
  { provider: 'aws', ...key, role_arn: 'arn:aws:iam::123456789012:role/p/deploy', role_session_name: 'me' },
  { provider: 'gcp', ...key, service_account_email: 'minter@my-project.iam.gserviceaccount.com' },
  { provider: 'azure', ...key },
  { provider: 'azure', ...key, tenant: guid },
  { provider: 'azure', ...key, subscription: 'My Subscription' },
].map((asked) => checkRequest(asked));

const jwt = `e30.${Buffer.from(JSON.stringify({ tid: guid, exp: 4_000_000_000 })).toString('base64url')}.${canary}`;
const answers = [
  [
    0,
    `{"Credentials":{"AccessKeyId":"${'AS'}IAFAKEFAKEFAKEFAKE","SecretAccessKey":"${canary}","SessionToken":"${canary}","Expiration":"2100-01-01T00:00:00+00:00"},"AssumedRoleUser":{"Arn":"arn:aws:sts::123456789012:assumed-role/deploy/me"}}`,
  ],
  [1, `{"token":"${canary}"}`],
  [
    2,
    `{"accessToken":"${jwt}","expiresOn":"2100-01-01 00:00:00.000000","expires_on":4000000000,"subscription":"${guid}","tenant":"${guid}","tokenType":"Bearer"}`,
  ],
  [
    3,
    `{"accessToken":"${canary}","expiresOn":"2100-01-01 00:00:00.000000","tenant":"${guid}","tokenType":"Bearer"}`,
  ],
  [4, `{"accessToken":"${canary}","expires_on":"4000000000","subscription":"${guid}","tokenType":"Bearer"}`],
] as const;
const impersonates =
  'WARNING: All API calls will be executed as [minter@my-project.iam.gserviceaccount.com].';

export const parse: Target = {
  name: 'parse',
  seeds: answers.map(([which, text]) => Buffer.concat([Buffer.from([which, 1]), Buffer.from(text)])),
  words: [
    canary,
    guid,
    '"token":',
    'null',
    '1e400',
    '"expires_on":',
    '9999-12-31 23:59:59',
    '.',
    'e30.e30.',
    '{"exp":-1}',
    '"tokenType":"Bearer"',
  ],
  run(input) {
    const choices = new Choices(input);
    const { handler, values } = choices.of(requests);
    const stderr = choices.upTo(2) === 1 ? impersonates : '';
    const stdout = choices.rest().toString('utf8');
    const output = { stdout, stderr, started_at: new Date() };
    try {
      const minted = handler.parse(output, values);
      for (const part of Object.values(minted.parts))
        expectThat(part instanceof Secret, 'a part in the clear');
      expectThat(Object.keys(minted.parts).join() === handler.parts.join(), 'other parts than those named');
      expectThat(minted.expires_at instanceof Date, 'an expiry that is no time');
      const { access_key_id, ...told } = minted;
      expectThat(access_key_id === undefined || /^\w{16,128}$/.test(access_key_id), 'an odd access key id');
      for (const text of [JSON.stringify(told), inspect(told, { depth: 9, showHidden: true })])
        expectThat(!text.includes(canary), `tells a token: ${text}`);
    } catch (error) {
      expectThat(isCloudCliError(error), `an error that is none of ours: ${(error as Error)?.stack}`);
      expectThat(error.code === 'parse_error', `fails as ${error.code}`);
      const told = [JSON.stringify(error), error.stack, inspect(error, { depth: 9, showHidden: true })];
      expectThat(!told.some((text) => text?.includes(canary)), `quotes a token: ${told[0]}`);
    }
    // What it says otherwise is data too.
    const explained = handler.explain(stdout, values);
    expectThat(explained === undefined || !explained.hint.includes(canary), 'a hint that quotes');
  },
};
