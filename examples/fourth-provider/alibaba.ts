/** Alibaba Cloud: a RAM role assumed with `aliyun sts AssumeRole`. */
import {
  defaulted,
  defineHandler,
  explainBy,
  isToken,
  jsonObject,
  offExpiry,
  offIdentity,
  offShape,
  optional,
  required,
  Secret,
} from '@alphaswarm/cloud-cli';
import * as z from 'zod';

const text = (grammar: RegExp, must: string) => z.string().regex(grammar, must);

export const alibaba = defineHandler({
  name: 'alibaba',
  title: 'Alibaba Cloud: assume a RAM role',
  binary: 'aliyun',
  fields: {
    role_arn: required(
      text(/^acs:ram::[0-9]{16}:role\/[a-z0-9.-]{1,64}$/, 'must be the ARN of a RAM role in lower case'),
      { label: 'Role ARN', help: 'The RAM role to assume, such as acs:ram::1234567890123456:role/deploy.' },
    ),
    duration_seconds: defaulted(z.int('must be a whole number of seconds').min(900).max(43200), 3600, {
      label: 'Duration (seconds)',
      help: "How long the credential lives: 900 to 43200, and at most the role's MaxSessionDuration.",
      type: 'integer',
    }),
    external_id: optional(
      text(/^[\w+=,.@:/-]{2,1224}$/, 'must be 2 to 1224 letters, digits and _+=,.@:/-').transform(
        (value) => new Secret(value),
      ),
      { label: 'External ID', help: 'What the trust policy asks for as sts:ExternalId.', secret: true },
    ),
    role_session_name: defaulted(
      text(/^[\w.@-]{2,64}$/, 'must be 2 to 64 letters, digits and _.@-'),
      'cloud-cli-<run_id>',
      { label: 'Session name', help: 'Names the session in ActionTrail.' },
    ),
  },
  parts: ['access_key_id', 'access_key_secret', 'security_token'],
  exclusive: [],
  identity: ['role_arn'],
  session_name: 'role_session_name',
  lifetime: 'duration_seconds',
  environment: {
    // With DEBUG=sdk the SDK below aliyun prints requests and answers, tokens included.
    DEBUG: '',
    ALIBABA_CLOUD_CLI_MOCK: '',
    ALIBABA_CLOUD_CLI_PLUGIN_AUTO_INSTALL: 'false',
  },
  use: {
    variables: {
      ALIBABA_CLOUD_ACCESS_KEY_ID: 'access_key_id',
      ALIBABA_CLOUD_ACCESS_KEY_SECRET: 'access_key_secret',
      ALIBABA_CLOUD_SECURITY_TOKEN: 'security_token',
    },
    cleared: ['ALIBABA_CLOUD_PROFILE', 'ALIBABA_CLOUD_ROLE_ARN', 'ALIBABA_CLOUD_CREDENTIALS_URI'],
  },
  hints: {
    binary_missing:
      'Install the Alibaba Cloud CLI in the control-plane image, or run `which aliyun` there to see what its PATH finds.',
    nonzero_exit:
      "Configure the parent credential again (`aliyun configure list` shows it), or grant it AliyunSTSAssumeRoleAccess and let the role's trust policy name it.",
  },

  argv: (values) => [
    'sts',
    'AssumeRole',
    `--RoleArn=${values.role_arn}`,
    `--RoleSessionName=${values.role_session_name}`,
    `--DurationSeconds=${values.duration_seconds}`,
    ...(values.external_id ? [values.external_id.after('--ExternalId=')] : []),
  ],

  parse: (output, values) => {
    const { Credentials, AssumedRoleUser } = jsonObject(output.stdout, 'aliyun');
    const { AccessKeyId, AccessKeySecret, SecurityToken, Expiration } = (Credentials ?? {}) as Answer;
    if (!isToken(AccessKeyId) || !isToken(AccessKeySecret) || !isToken(SecurityToken))
      throw offShape('aliyun answered without a whole credential');
    const { Arn } = (AssumedRoleUser ?? {}) as Answer;
    if (Arn !== `${values.role_arn}/${values.role_session_name}`)
      throw offIdentity(
        'aliyun answered with a credential for another role or session than the one asked for',
      );
    if (typeof Expiration !== 'string' || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(Expiration))
      throw offExpiry('aliyun answered with an expiry that is not an ISO 8601 time');
    return {
      parts: {
        access_key_id: new Secret(AccessKeyId),
        access_key_secret: new Secret(AccessKeySecret),
        security_token: new Secret(SecurityToken),
      },
      expires_at: new Date(Expiration),
      source_identity: values.role_arn,
      access_key_id: AccessKeyId,
    };
  },

  explain: explainBy([
    [
      /ErrorCode: NoPermission/,
      {
        hint: "Grant the parent credential AliyunSTSAssumeRoleAccess, and let the role's trust policy name it.",
        outcome: 'not_issued',
      },
    ],
    [
      /ErrorCode: EntityNotExist\.Role/,
      { hint: 'The role does not exist: check `role_arn`.', outcome: 'not_issued' },
    ],
    [
      /ErrorCode: (?:InvalidAccessKeyId|InvalidSecurityToken|SignatureDoesNotMatch)/,
      {
        hint: 'The parent credential is unknown or has expired: run `aliyun configure` on the control-plane host.',
        outcome: 'not_issued',
      },
    ],
  ]),
});

/** A part of the answer, of which nothing is known yet. */
type Answer = Record<string, unknown>;
