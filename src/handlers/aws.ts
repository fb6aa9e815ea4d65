/** AWS: a role assumed with `aws sts assume-role`. */
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
  timeOf,
} from '../handler.js';
import { Secret } from '../secret.js';
import * as z from '../zod.js';

// The grammars are those of the STS and IAM API references (AssumeRole; roleNameType, pathType, policyNameType).
const partition = 'aws(?:-cn|-us-gov|-iso|-iso-[bef]|-eusc)?';
const path = '(?:/|/[!-~]{1,510}/)';
const roleArn = new RegExp(`^arn:${partition}:iam::[0-9]{12}:role${path}[\\w+=,.@-]{1,64}$`);
const policyArn = new RegExp(`^arn:${partition}:iam::(?:[0-9]{12}|aws):policy${path}[\\w+=,.@-]{1,128}$`);
const tagText = '[\\p{L}\\p{Zs}\\p{N}_.:/=+\\-@]';

/** The AWS CLI reads these from disk or the network wherever a value stands. */
const readsElsewhere = /^(?:file|fileb|https?):\/\//i;

const text = (grammar: RegExp, must: string) =>
  z.string().check(
    z.maxLength(2048),
    z.regex(grammar, must),
    z.refine((value) => !readsElsewhere.test(value), 'must not be a file:// or http:// reference'),
  );

const secretText = (grammar: RegExp, must: string) =>
  z.pipe(
    text(grammar, must),
    z.transform((value: string) => new Secret(value)),
  );

const sessionText = (must: string) => text(/^[\w+=,.@-]{2,64}$/, must);

const policy = () =>
  z
    .string()
    .check(
      z.maxLength(2048),
      z.regex(/^[\t\n\r\u0020-\u00ff]+$/, 'must be a JSON policy document'),
      z.refine(isJsonObject, 'must be a JSON policy document'),
    );

const tags = () =>
  z
    .record(
      z.string().check(
        z.regex(
          new RegExp(`^${tagText}{1,128}$`, 'u'),
          'must have keys of 1 to 128 letters, digits, spaces and _.:/=+-@',
        ),
        z.refine((key) => !/^aws:/i.test(key), 'must not have keys that begin with aws:'),
      ),
      z
        .string()
        .check(
          z.regex(
            new RegExp(`^${tagText}{0,256}$`, 'u'),
            'must have values of at most 256 letters, digits, spaces and _.:/=+-@',
          ),
        ),
    )
    .check(
      z.refine((map) => between(Object.keys(map).length, 1, 50), 'must hold 1 to 50 tags'),
      z.refine(
        (map) => new Set(Object.keys(map).map((key) => key.toLowerCase())).size === Object.keys(map).length,
        'must not have keys that differ only in case',
      ),
    );

const tagKeys = () =>
  z
    .array(z.string().check(z.regex(new RegExp(`^${tagText}{1,128}$`, 'u'), 'must hold tag keys')))
    .check(z.minLength(1), z.maxLength(50));

export const aws = defineHandler({
  name: 'aws',
  title: 'AWS: assume a role with STS',
  binary: 'aws',
  fields: {
    role_arn: required(
      () => text(roleArn, 'must be the ARN of an IAM role, such as arn:aws:iam::123456789012:role/deploy'),
      {
        label: 'Role ARN',
        help: 'The IAM role to assume, such as arn:aws:iam::123456789012:role/deploy.',
      },
    ),
    duration_seconds: defaulted(() => z.seconds(900, 43200), 3600, {
      label: 'Duration (seconds)',
      help: "How long the credential lives: 900 to 43200, and at most the role's MaxSessionDuration.",
      type: 'integer',
    }),
    external_id: optional(
      () => secretText(/^[\w+=,.@:/-]{2,1224}$/, 'must be 2 to 1224 letters, digits and _+=,.@:/-'),
      { label: 'External ID', help: 'What the trust policy asks for as sts:ExternalId.', secret: true },
    ),
    region: optional(
      () => text(/^[a-z]{2,4}(?:-[a-z]{2,12}){1,2}-[0-9]{1,2}$/, 'must be an AWS region, such as eu-west-1'),
      {
        label: 'Region',
        help: 'The region whose STS endpoint is called, such as eu-west-1.',
      },
    ),
    role_session_name: defaulted(
      () => sessionText('must be 2 to 64 letters, digits and _+=,.@-'),
      'cloud-cli-<run_id>',
      { label: 'Session name', help: 'Names the session in CloudTrail.' },
    ),
    sts_source_identity: optional(() => sessionText('must be 2 to 64 letters, digits and _+=,.@-'), {
      label: 'Source identity',
      help: 'The STS SourceIdentity, kept through role chaining.',
    }),
    policy: optional(policy, {
      label: 'Session policy',
      help: 'An inline JSON policy, at most 2048 characters, that narrows what the credential may do.',
    }),
    policy_arns: optional(
      () =>
        z
          .array(
            text(policyArn, 'must hold ARNs of IAM policies, such as arn:aws:iam::aws:policy/ReadOnlyAccess'),
          )
          .check(z.minLength(1), z.maxLength(10)),
      {
        label: 'Session policy ARNs',
        help: 'Up to 10 managed policies that narrow what the credential may do.',
        type: 'list',
      },
    ),
    tags: optional(tags, {
      label: 'Session tags',
      help: 'Up to 50 session tags, key=value; the trust policy must allow sts:TagSession.',
      type: 'map',
    }),
    transitive_tag_keys: optional(tagKeys, {
      label: 'Transitive tag keys',
      help: 'The session tags that stay on when this credential assumes a further role.',
      type: 'list',
    }),
    serial_number: optional(
      () => text(/^[\w+=/:,.@-]{9,256}$/, 'must be an MFA serial number or the ARN of a virtual MFA device'),
      {
        label: 'MFA serial number',
        help: 'The MFA device that the trust policy asks for: its serial number or ARN.',
      },
    ),
    token_code: optional(() => secretText(/^[0-9]{6}$/, 'must be the six digits that the MFA device shows'), {
      label: 'MFA code',
      help: 'The six digits that the MFA device shows.',
      secret: true,
    }),
    profile: optional(
      () =>
        text(
          /^[A-Za-z0-9_](?:[\w .@+:/-]{0,126}[\w.@+:/-])?$/,
          'must be the name of a profile in the AWS configuration',
        ),
      { label: 'Profile', help: 'The profile of the AWS configuration that holds the parent credential.' },
    ),
  },
  parts: ['access_key_id', 'secret_access_key', 'session_token'],
  exclusive: [],
  identity: ['role_arn'],
  session_name: 'role_session_name',
  lifetime: 'duration_seconds',
  environment: {
    AWS_PAGER: '',
    AWS_CLI_AUTO_PROMPT: 'off',
    // A directory cannot be opened as its database; a file that can be, such as /dev/null, is made mode 0600, by root too.
    AWS_CLI_HISTORY_FILE: '/',
  },
  use: {
    // https://docs.aws.amazon.com/sdkref/latest/guide/environment-variables.html; the expiration is what
    // `aws configure export-credentials --format env` sets.
    variables: {
      AWS_ACCESS_KEY_ID: 'access_key_id',
      AWS_SECRET_ACCESS_KEY: 'secret_access_key',
      AWS_SESSION_TOKEN: 'session_token',
      AWS_CREDENTIAL_EXPIRATION: 'expires_at',
    },
    cleared: [
      'AWS_PROFILE',
      'AWS_DEFAULT_PROFILE',
      'AWS_SECURITY_TOKEN',
      'AWS_ROLE_ARN',
      'AWS_ROLE_SESSION_NAME',
      'AWS_WEB_IDENTITY_TOKEN_FILE',
      'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
      'AWS_CONTAINER_CREDENTIALS_FULL_URI',
      'AWS_CONTAINER_AUTHORIZATION_TOKEN',
      'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE',
    ],
    // https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
    credential_process: {
      AccessKeyId: 'access_key_id',
      SecretAccessKey: 'secret_access_key',
      SessionToken: 'session_token',
      Expiration: 'expires_at',
    },
  },
  hints: {
    binary_missing:
      'Install the AWS CLI in the control-plane image, or run `which aws` there to see what its PATH finds.',
    nonzero_exit:
      "Log the parent credential in again (`aws sts get-caller-identity` shows it), or grant it sts:AssumeRole on the role and let the role's trust policy name it.",
  },
  doctor: {
    version: { argv: ['--version'] },
    identity: {
      argv: ['sts', 'get-caller-identity', '--output=json'],
      answer: ['Arn'],
      local: false,
      beaten_by: [],
    },
    places: {
      config: { variable: 'AWS_CONFIG_FILE', otherwise: '~/.aws/config' },
      credentials: { variable: 'AWS_SHARED_CREDENTIALS_FILE', otherwise: '~/.aws/credentials' },
      history: { variable: 'AWS_CLI_HISTORY_FILE', otherwise: '~/.aws/cli/history/history.db' },
    },
    secrets: [
      { file: '<credentials>' },
      { file: '<config>', holding: /^\s*aws_(?:secret_access_key|session_token)\s*[=:]/im },
      { file: '<history>' },
    ],
    settings: [
      {
        file: '<config>',
        section: /^/,
        name: 'cli_history',
        value: /^enabled$/,
        status: 'warning',
        effect: 'keeps your own calls on disk with the credentials in their answers; a mint switches it off',
        hint: 'Set it to disabled, and remove what is kept already in ~/.aws/cli/history.',
      },
      {
        file: '<config>',
        section: /^/,
        name: 'output',
        variable: 'AWS_DEFAULT_OUTPUT',
        value: /^(?!json$)/,
        status: 'warning',
        effect: 'makes your own calls answer in another form than JSON; a mint asks for JSON itself',
        hint: 'Set it to json, or pass --output=json when you compare an answer with what a mint expects.',
      },
      {
        file: '~/.aws/cli/alias',
        section: /^toplevel$/,
        name: 'sts',
        value: /^/,
        status: 'problem',
        effect: 'runs in place of the `aws sts` of every mint, and no flag or variable switches it off',
        hint: 'Remove the alias, or give it another name than that of a service.',
      },
      {
        // Version 2 has aliases below a service too.
        file: '~/.aws/cli/alias',
        section: /^command sts$/,
        name: 'assume-role',
        value: /^/,
        status: 'problem',
        effect: 'runs in place of the `aws sts assume-role` of every mint, and nothing switches it off',
        hint: 'Remove the alias, or give it another name than that of a command.',
      },
    ],
  },

  argv: (values) => [
    'sts',
    'assume-role',
    `--role-arn=${values.role_arn}`,
    `--role-session-name=${values.role_session_name}`,
    `--duration-seconds=${values.duration_seconds}`,
    ...(values.external_id ? [values.external_id.after('--external-id=')] : []),
    ...(values.sts_source_identity ? [`--source-identity=${values.sts_source_identity}`] : []),
    ...(values.policy ? [`--policy=${values.policy}`] : []),
    ...(values.policy_arns
      ? [`--policy-arns=${JSON.stringify(values.policy_arns.map((arn) => ({ arn })))}`]
      : []),
    ...(values.tags
      ? [`--tags=${JSON.stringify(Object.entries(values.tags).map(([Key, Value]) => ({ Key, Value })))}`]
      : []),
    ...(values.transitive_tag_keys
      ? [`--transitive-tag-keys=${JSON.stringify(values.transitive_tag_keys)}`]
      : []),
    ...(values.serial_number ? [`--serial-number=${values.serial_number}`] : []),
    ...(values.token_code ? [values.token_code.after('--token-code=')] : []),
    ...(values.profile ? [`--profile=${values.profile}`] : []),
    ...(values.region ? [`--region=${values.region}`] : []),
    '--output=json',
  ],

  parse: (output, values) => {
    const answer = jsonObject(output.stdout, 'aws');
    const credentials = asObject(answer.Credentials, 'Credentials');
    const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = credentials;
    if (typeof AccessKeyId !== 'string' || !/^\w{16,128}$/.test(AccessKeyId))
      throw offShape('aws answered without an access key id');
    if (!isToken(SecretAccessKey)) throw offShape('aws answered without a secret access key');
    if (!isToken(SessionToken)) throw offShape('aws answered without a session token');
    if (asObject(answer.AssumedRoleUser, 'AssumedRoleUser').Arn !== sessionArn(values)) {
      throw offIdentity('aws answered with a credential for another role or session than the one asked for');
    }
    return {
      parts: {
        access_key_id: new Secret(AccessKeyId),
        secret_access_key: new Secret(SecretAccessKey),
        session_token: new Secret(SessionToken),
      },
      expires_at: expiration(Expiration),
      source_identity: values.role_arn,
      access_key_id: AccessKeyId,
    };
  },

  explain: explainBy([
    [
      /\(AccessDenied\)|\(AccessDeniedException\)|not authorized to perform/,
      {
        hint: "Grant the parent credential sts:AssumeRole on the role, and let the role's trust policy name that parent; conditions such as an external id or MFA must hold too.",
        outcome: 'not_issued',
      },
    ],
    [
      /\(ExpiredToken(?:Exception)?\)|\(RequestExpired\)|SSO session .* has expired|Error loading SSO Token|Token has expired|token .* expired/i,
      {
        hint: 'The parent credential has expired: log it in again, such as with `aws sso login`.',
        outcome: 'not_issued',
      },
    ],
    [
      /\(InvalidClientTokenId\)|\(SignatureDoesNotMatch\)|\(UnrecognizedClientException\)|\(InvalidAccessKeyId\)/,
      {
        hint: 'AWS does not know the parent credential: check its access key and secret.',
        outcome: 'not_issued',
      },
    ],
    [
      /Unable to locate credentials|NoCredentials|Partial credentials found/,
      {
        hint: 'The control-plane host has no parent credential for the AWS CLI: give it an instance role, or log in with `aws sso login` or `aws configure`.',
        outcome: 'not_issued',
      },
    ],
    [
      /config profile .* could not be found/,
      {
        hint: 'The profile is not in the AWS configuration of the control-plane host: check `aws configure list-profiles`.',
        outcome: 'not_issued',
      },
    ],
    [
      /DurationSeconds exceeds|MaxSessionDuration|exceeds the 1 hour session limit/,
      {
        hint: "Ask for a shorter duration_seconds, or raise the role's MaxSessionDuration; a chained role gets one hour at most.",
        outcome: 'not_issued',
      },
    ],
    [
      /\(RegionDisabledException\)|must specify a region|Could not resolve host|Invalid endpoint/,
      {
        hint: 'Give a `region` whose STS endpoint is active for the account, such as us-east-1.',
        outcome: 'not_issued',
      },
    ],
    [
      /\((?:MalformedPolicyDocument|PackedPolicyTooLarge)\)/,
      {
        hint: "AWS refused the session policy or tags: check the policy's JSON, and make policy and tags smaller.",
        outcome: 'not_issued',
      },
    ],
    [
      /\((?:Throttling|ThrottlingException|TooManyRequestsException|RequestLimitExceeded)\)|Rate exceeded/,
      { hint: 'STS is throttling the account: wait a minute and run again.', outcome: 'not_issued' },
    ],
    [
      /\(ValidationError\)|Parameter validation failed|Unknown options|usage: aws/,
      {
        hint: 'The AWS CLI or STS refused a value: correct what the message names; an old AWS CLI may not know an option.',
        outcome: 'not_issued',
      },
    ],
    [
      /Unable to parse response|Connection was closed before|Read timeout on endpoint/,
      {
        hint: 'The answer of STS was cut off or unreadable, so that a credential may have been issued: look at the proxy between this host and STS, then run again.',
        outcome: 'unknown',
      },
    ],
    [
      /\((?:5\d\d|ServiceUnavailable|InternalFailure|InternalError)\)/,
      { hint: 'STS, or a proxy before it, failed by itself: run again in a minute.', outcome: 'unknown' },
    ],
    [
      /Could not connect to the endpoint|Failed to connect to proxy|certificate verify failed|SSL validation failed/,
      {
        hint: 'The control-plane host cannot reach STS: check its network, proxy and CA settings, and AWS_ENDPOINT_URL_STS.',
        outcome: 'not_issued',
      },
    ],
  ]),
});

function isJsonObject(value: string): boolean {
  try {
    const parsed: unknown = JSON.parse(value);
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed);
  } catch {
    return false;
  }
}

function between(value: number, least: number, most: number): boolean {
  return value >= least && value <= most;
}

function asObject(value: unknown, name: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null) throw offShape(`aws answered without ${name}`);
  return value as Record<string, unknown>;
}

/** STS drops the role's path in the ARN of the session. */
function sessionArn(values: { role_arn: string; role_session_name: string }): string {
  const [, partition, , , account] = values.role_arn.split(':');
  const role = values.role_arn.slice(values.role_arn.lastIndexOf('/') + 1);
  return `arn:${partition}:sts::${account}:assumed-role/${role}/${values.role_session_name}`;
}

/** STS sends ISO 8601 with `Z` or an offset, with or without fractions of a second. */
function expiration(value: unknown): Date {
  const time = /T\d\d:\d\d:\d\d/.test(String(value)) ? timeOf(value) : undefined;
  if (time) return time;
  throw offExpiry('aws answered with an expiry that is not an ISO 8601 time');
}
