/** GCP: a service account impersonated with `gcloud auth print-access-token`. */
import {
  defaulted,
  defineHandler,
  explainBy,
  isToken,
  jsonObject,
  offIdentity,
  offShape,
  optional,
  required,
} from '../handler.js';
import { Secret } from '../secret.js';
import * as z from '../zod.js';

// IAM's service-account and project id rules: a domain-scoped project `example.com:proj` reads `proj.example.com` here.
const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
const project = `(?:[a-z][a-z0-9-]{4,28}[a-z0-9]|[a-z](?:[a-z0-9-]{0,28}[a-z0-9])?(?:\\.${label}){1,4})`;
const email = new RegExp(
  `^(?:[a-z][a-z0-9-]{4,28}[a-z0-9]@${project}\\.iam\\.gserviceaccount\\.com` +
    `|[0-9]{1,20}-compute@developer\\.gserviceaccount\\.com` +
    `|${project}@appspot\\.gserviceaccount\\.com)$`,
);
const serviceAccount = () =>
  z
    .string()
    .check(
      z.maxLength(320),
      z.regex(
        email,
        'must be the email of a service account, such as minter@my-project.iam.gserviceaccount.com',
      ),
    );

/** What gcloud grants unless told otherwise; asking for it by flag costs a second call. */
const defaultLifetime = 3600;

export const gcp = defineHandler({
  name: 'gcp',
  title: 'GCP: impersonate a service account',
  binary: 'gcloud',
  fields: {
    service_account_email: required(serviceAccount, {
      label: 'Service account',
      help: 'The service account to impersonate, such as minter@my-project.iam.gserviceaccount.com.',
    }),
    lifetime_seconds: defaulted(() => z.seconds(60, 43200), defaultLifetime, {
      label: 'Lifetime (seconds)',
      help: 'How long the token lives: 60 to 43200; more than 3600 needs an organisation policy that allows it.',
      type: 'integer',
    }),
    delegates: optional(() => z.array(serviceAccount()).check(z.minLength(1), z.maxLength(20)), {
      label: 'Delegates',
      help: 'The service accounts of a delegation chain, first the one that the parent credential may impersonate.',
      type: 'list',
    }),
  },
  parts: ['access_token'],
  exclusive: [],
  identity: ['service_account_email'],
  lifetime: 'lifetime_seconds',
  // Asked for another lifetime, gcloud first gets a token of the default one, and then the one it prints.
  dropped_lifetime: defaultLifetime,
  environment: {
    CLOUDSDK_CORE_DISABLE_PROMPTS: '1',
    CLOUDSDK_CORE_USER_OUTPUT_ENABLED: 'true',
    CLOUDSDK_CORE_VERBOSITY: 'warning',
    CLOUDSDK_CORE_LOG_HTTP: 'false',
    CLOUDSDK_CORE_DEFAULT_FORMAT: 'default',
    CLOUDSDK_CORE_SHOW_STRUCTURED_LOGS: 'never',
    CLOUDSDK_CORE_DISABLE_FILE_LOGGING: 'true',
    CLOUDSDK_CORE_DISABLE_USAGE_REPORTING: 'true',
    CLOUDSDK_CORE_COLOR: 'never',
    CLOUDSDK_CORE_REQUEST_REASON: '<run_id>',
  },
  use: {
    // gcloud reads the first (property auth/access_token); Terraform's Google provider and other tools the second.
    variables: { CLOUDSDK_AUTH_ACCESS_TOKEN: 'access_token', GOOGLE_OAUTH_ACCESS_TOKEN: 'access_token' },
    cleared: [
      'CLOUDSDK_AUTH_ACCESS_TOKEN_FILE',
      'CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE',
      'CLOUDSDK_AUTH_IMPERSONATE_SERVICE_ACCOUNT',
      'GOOGLE_APPLICATION_CREDENTIALS',
      'GOOGLE_CREDENTIALS',
      'GOOGLE_IMPERSONATE_SERVICE_ACCOUNT',
    ],
  },
  hints: {
    binary_missing:
      'Install the Google Cloud CLI in the control-plane image, or run `which gcloud` there to see what its PATH finds.',
    nonzero_exit:
      'Log the parent account in again (`gcloud auth list` shows it), or grant it roles/iam.serviceAccountTokenCreator, which holds iam.serviceAccounts.getAccessToken, on the service account.',
  },
  doctor: {
    version: { argv: ['--version'] },
    identity: {
      argv: ['auth', 'list', '--filter=status:ACTIVE', '--format=json'],
      answer: [0, 'account'],
      local: true,
      beaten_by: [
        'CLOUDSDK_AUTH_ACCESS_TOKEN',
        'CLOUDSDK_AUTH_ACCESS_TOKEN_FILE',
        'CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE',
      ],
    },
    places: {
      directory: { variable: 'CLOUDSDK_CONFIG', otherwise: '~/.config/gcloud' },
      active: {
        variable: 'CLOUDSDK_ACTIVE_CONFIG_NAME',
        file: '<directory>/active_config',
        otherwise: 'default',
      },
    },
    secrets: [
      { file: '<directory>/credentials.db' },
      { file: '<directory>/access_tokens.db' },
      { file: '<directory>/application_default_credentials.json' },
    ],
    settings: [
      {
        file: '<directory>/configurations/config_<active>',
        section: /^core$/,
        name: 'log_http',
        variable: 'CLOUDSDK_CORE_LOG_HTTP',
        value: /^(?:true|1|on|yes|y)$/i,
        status: 'warning',
        effect: 'makes your own calls print requests and answers with their tokens; a mint switches it off',
        hint: 'Run: gcloud config unset core/log_http',
      },
      {
        file: '<directory>/configurations/config_<active>',
        section: /^core$/,
        name: 'user_output_enabled',
        variable: 'CLOUDSDK_CORE_USER_OUTPUT_ENABLED',
        value: /^(?!(?:true|1|on|yes|y)$)/i,
        status: 'warning',
        effect: 'makes your own calls succeed and print nothing; a mint switches it on',
        hint: 'Run: gcloud config unset core/user_output_enabled',
      },
      {
        file: '<directory>/configurations/config_<active>',
        section: /^auth$/,
        name: 'impersonate_service_account',
        variable: 'CLOUDSDK_AUTH_IMPERSONATE_SERVICE_ACCOUNT',
        value: /./,
        status: 'warning',
        effect: 'makes your own calls act as another account; a mint names its own service account',
        hint: 'Run: gcloud config unset auth/impersonate_service_account',
      },
    ],
  },

  argv: (values) => [
    'auth',
    'print-access-token',
    `--impersonate-service-account=${[...(values.delegates ?? []), values.service_account_email].join(',')}`,
    ...(values.lifetime_seconds === defaultLifetime ? [] : [`--lifetime=${values.lifetime_seconds}s`]),
    '--format=json(token)',
    '--quiet',
    '--user-output-enabled',
    '--verbosity=warning',
    '--no-log-http',
  ],

  parse: (output, values) => {
    const { token } = jsonObject(output.stdout, 'gcloud');
    if (!isToken(token)) throw offShape('gcloud answered without a token');
    // Only this line tells whose token it is: without impersonation gcloud prints the operator's own, exit 0.
    if (!output.stderr.includes(`All API calls will be executed as [${values.service_account_email}].`)) {
      throw offIdentity('gcloud did not say that it impersonated the service account asked for');
    }
    return {
      parts: { access_token: new Secret(token) },
      expires_at: new Date(output.started_at.getTime() + values.lifetime_seconds * 1000),
      source_identity: values.service_account_email,
    };
  },

  explain: explainBy([
    [
      /You do not currently have an active account|gcloud auth login|Reauthentication|UNAUTHENTICATED|invalid_grant|problem refreshing your current auth tokens/,
      {
        hint: 'The parent account is not logged in on the control-plane host, or its login has expired: run `gcloud auth login` or `gcloud auth activate-service-account` there.',
        outcome: 'not_issued',
      },
    ],
    [
      /RESOURCE_EXHAUSTED|Quota exceeded/,
      {
        hint: 'The IAM Credentials API is throttling the project: wait a minute and run again.',
        outcome: 'not_issued',
      },
    ],
    [
      /NOT_FOUND|Gaia id not found/,
      {
        hint: 'The service account does not exist or was deleted: check `service_account_email`.',
        outcome: 'not_issued',
      },
    ],
    [
      /SERVICE_DISABLED|has not been used in project|iamcredentials\.googleapis\.com.*disabled/,
      {
        hint: "Enable the IAM Credentials API (iamcredentials.googleapis.com) in the parent account's project.",
        outcome: 'not_issued',
      },
    ],
    [
      /INVALID_ARGUMENT|--lifetime|unrecognized arguments/,
      {
        hint: 'Ask for at most 3600 seconds, or allow longer ones with the organisation policy constraints/iam.allowServiceAccountCredentialLifetimeExtension; an old gcloud may not know an option.',
        outcome: 'not_issued',
      },
    ],
    [
      /PERMISSION_DENIED|iam\.serviceAccounts\.getAccessToken/,
      {
        hint: 'Grant the parent account roles/iam.serviceAccountTokenCreator (iam.serviceAccounts.getAccessToken) on the service account, and on each delegate to the one before it.',
        outcome: 'not_issued',
      },
    ],
    [
      /Connection refused|Failed to establish a new connection|Name or service not known|Unable to find the server|CERTIFICATE_VERIFY_FAILED/,
      {
        hint: 'The control-plane host cannot reach iamcredentials.googleapis.com: check its network, proxy and CA settings.',
        outcome: 'not_issued',
      },
    ],
  ]),
});
