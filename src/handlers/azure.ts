/** Azure: a token of the signed-in principal, got with `az account get-access-token`. */
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
  timeOf,
} from '../handler.js';
import { Secret } from '../secret.js';
import * as z from '../zod.js';

// The characters are those that az and the Azure SDKs accept; no value may begin with `@`, which az reads as a file.
const guid = '[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}';
const uri =
  '(?:(?:https?|api)://[0-9A-Za-z][0-9A-Za-z._-]*(?::[0-9]{1,5})?(?:/[0-9A-Za-z._:/-]*)?|(?:urn|spn):[0-9A-Za-z._:/-]+)';
const resource = new RegExp(`^(?:${guid}|${uri})$`);
const scope = new RegExp(`^(?:${guid}|${uri})/[0-9A-Za-z._-]+$`);
const isGuid = new RegExp(`^${guid}$`);
const domain =
  /^(?:[0-9A-Za-z](?:[0-9A-Za-z-]{0,61}[0-9A-Za-z])?\.){1,8}[A-Za-z][0-9A-Za-z-]{0,61}[0-9A-Za-z]$/;

export const azure = defineHandler({
  name: 'azure',
  title: 'Azure: access token of the signed-in principal',
  binary: 'az',
  fields: {
    resource: defaulted(
      () =>
        z
          .string()
          .check(
            z.maxLength(1024),
            z.regex(resource, 'must be a resource URI or application id, such as https://vault.azure.net'),
          ),
      'https://management.azure.com/',
      { label: 'Resource', help: 'What the token is for, such as https://vault.azure.net.' },
    ),
    scope: optional(
      () =>
        z
          .string()
          .check(
            z.maxLength(1024),
            z.regex(scope, 'must be a scope, such as https://vault.azure.net/.default'),
          ),
      {
        label: 'Scope',
        help: 'What the token is for as an OAuth scope, such as https://vault.azure.net/.default; instead of a resource.',
      },
    ),
    tenant: optional(
      () =>
        z.string().check(
          z.maxLength(253),
          z.refine(
            (value) => isGuid.test(value) || domain.test(value),
            'must be a tenant id or domain, such as contoso.onmicrosoft.com',
          ),
        ),
      { label: 'Tenant', help: 'The Entra tenant, by id or domain; instead of a subscription.' },
    ),
    subscription: optional(
      () =>
        z
          .string()
          .check(
            z.regex(
              /^[0-9A-Za-z_.](?:[0-9A-Za-z_. -]{0,254}[0-9A-Za-z_.-])?$/,
              'must be the id or name of a subscription',
            ),
          ),
      {
        label: 'Subscription',
        help: 'The subscription, by id or name; the one that az has as its default when absent.',
      },
    ),
  },
  parts: ['access_token'],
  exclusive: [
    ['resource', 'scope'],
    ['tenant', 'subscription'],
  ],
  identity: ['subscription', 'tenant'],
  // Entra gives 60 to 90 minutes, a managed identity 24 hours, continuous access evaluation up to 28:
  // https://learn.microsoft.com/entra/identity-platform/access-tokens#token-lifetime
  lifetime: 28 * 3600,
  environment: {
    AZURE_CORE_OUTPUT: 'json',
    AZURE_CORE_ONLY_SHOW_ERRORS: 'true',
    AZURE_CORE_NO_COLOR: 'true',
    AZURE_CORE_COLLECT_TELEMETRY: 'false',
    AZURE_CORE_SURVEY_MESSAGE: 'false',
    AZURE_CORE_DISABLE_CONFIRM_PROMPT: 'true',
    AZURE_AUTO_UPGRADE_ENABLE: 'no',
    AZURE_AUTO_UPGRADE_PROMPT: 'no',
    AZURE_EXTENSION_USE_DYNAMIC_INSTALL: 'no',
    AZURE_LOGGING_ENABLE_LOG_FILE: 'false',
  },
  use: {
    // az and the Azure SDKs take no access token from their environment; this is for curl and scripts.
    variables: { AZURE_ACCESS_TOKEN: 'access_token' },
    cleared: [
      'AZURE_CLIENT_ID',
      'AZURE_CLIENT_SECRET',
      'AZURE_CLIENT_CERTIFICATE_PATH',
      'AZURE_CLIENT_CERTIFICATE_PASSWORD',
      'AZURE_FEDERATED_TOKEN_FILE',
      'AZURE_USERNAME',
      'AZURE_PASSWORD',
      'IDENTITY_ENDPOINT',
      'IDENTITY_HEADER',
      'MSI_ENDPOINT',
      'MSI_SECRET',
      'ARM_CLIENT_SECRET',
    ],
  },
  hints: {
    binary_missing:
      'Install the Azure CLI in the control-plane image, or run `which az` there to see what its PATH finds.',
    nonzero_exit:
      'Log the principal in again (`az account show` shows it), or use one that can get tokens for the resource.',
  },
  doctor: {
    // `az --version` asks the network for newer ones.
    version: { argv: ['version', '--output=json'], answer: ['azure-cli'] },
    identity: {
      argv: ['account', 'show', '--output=json', '--only-show-errors'],
      answer: ['user', 'name'],
      local: true,
      beaten_by: [],
    },
    places: {
      directory: { variable: 'AZURE_CONFIG_DIR', otherwise: '~/.azure' },
    },
    secrets: [
      { file: '<directory>/msal_token_cache.json' },
      { file: '<directory>/service_principal_entries.json' },
      { file: '<directory>/accessTokens.json' },
    ],
    settings: [
      {
        file: '<directory>/config',
        section: /^core$/,
        name: 'output',
        variable: 'AZURE_CORE_OUTPUT',
        value: /^(?!jsonc?$)/i,
        status: 'warning',
        effect: 'makes your own calls answer in another form than JSON; a mint asks for JSON itself',
        hint: 'Run: az config unset core.output',
      },
      {
        file: '<directory>/config',
        section: /^logging$/,
        name: 'enable_log_file',
        variable: 'AZURE_LOGGING_ENABLE_LOG_FILE',
        value: /^(?:true|1|on|yes)$/i,
        status: 'warning',
        effect: 'keeps debug logs of your own calls on disk, which can hold tokens; a mint switches it off',
        hint: 'Run: az config unset logging.enable_log_file, and remove the logs below the configuration directory.',
      },
    ],
  },

  argv: (values) => [
    'account',
    'get-access-token',
    values.scope ? `--scope=${values.scope}` : `--resource=${values.resource}`,
    ...(values.tenant ? [`--tenant=${values.tenant}`] : []),
    ...(values.subscription ? [`--subscription=${values.subscription}`] : []),
    '--output=json',
    '--only-show-errors',
  ],

  parse: (output, values) => {
    const answer = jsonObject(output.stdout, 'az');
    if (!isToken(answer.accessToken)) throw offShape('az answered without an access token');
    if (answer.tokenType !== 'Bearer') throw offShape('az answered with another kind of token than Bearer');
    const claims = claimsOf(answer.accessToken);
    const subscription = textOf(answer.subscription);
    const tenant = textOf(answer.tenant);
    if (
      values.subscription &&
      (!isGuid.test(subscription) ||
        (isGuid.test(values.subscription) && !same(subscription, values.subscription)))
    ) {
      throw offIdentity('az answered with a token for another subscription than the one asked for');
    }
    if (values.tenant && !tenantFits(values.tenant, [tenant, textOf(claims.tid)])) {
      throw offIdentity('az answered with a token of another tenant than the one asked for');
    }
    // With a tenant az names no subscription; else one must stand there, or nobody can tell whose token this is.
    // It goes into the ledger in the clear, so that it must be what it is said to be.
    if (!values.tenant && !isGuid.test(subscription))
      throw offIdentity('az answered without the id of the subscription');
    return {
      parts: { access_token: new Secret(answer.accessToken) },
      expires_at: expiry(answer.expires_on, answer.expiresOn, claims.exp),
      source_identity: values.tenant ?? subscription,
    };
  },

  explain: explainBy([
    [
      /az login.? to setup account|No subscription found|not logged in|AADSTS(?:50076|50078|50079|50173|70043|700082|700084|50132|50133)\b/,
      {
        hint: 'The principal is not signed in on the control-plane host, or its sign-in has expired: run `az login` there, or `az login --identity`.',
        outcome: 'not_issued',
      },
    ],
    [
      /AADSTS(?:500011|650057|65001|65005)\b/,
      {
        hint: 'The tenant does not know the resource, or has not consented to it: check `resource`, `scope` and `tenant`.',
        outcome: 'not_issued',
      },
    ],
    [
      /AADSTS(?:700016|7000215|7000222|70002|7000112|90002|900023)\b/,
      {
        hint: "Entra refused the principal's application, secret or tenant: renew its credential and sign it in again.",
        outcome: 'not_issued',
      },
    ],
    [
      /AADSTS(?:53000|53001|53002|53003|530003|50105|50158)\b/,
      {
        hint: 'A conditional access policy refused the principal: use one that may get tokens for the resource from this host.',
        outcome: 'not_issued',
      },
    ],
    [
      /AADSTS90055\b|Too Many Requests|<Response \[429\]>/,
      { hint: 'Entra is throttling the tenant: wait a minute and run again.', outcome: 'not_issued' },
    ],
    [
      /AADSTS\d+/,
      {
        hint: 'Entra refused the token: look the AADSTS code up, and use a principal that can get tokens for the resource.',
        outcome: 'not_issued',
      },
    ],
    [
      /Subscription '.*' not found|The subscription of .* doesn't exist/,
      {
        hint: 'az does not know the subscription: check its spelling with `az account list`, and refresh that with `az login`.',
        outcome: 'not_issued',
      },
    ],
    [
      /Get Token request returned: <Response \[5\d\d\]>/,
      { hint: 'The managed identity endpoint failed by itself: run again in a minute.', outcome: 'unknown' },
    ],
    [
      /Failed to connect to MSI|Managed Identity|IMDS|identity endpoint/i,
      {
        hint: "The host's managed identity did not answer, or may not get tokens for the resource: check that it is assigned to this host.",
        outcome: 'not_issued',
      },
    ],
    [
      /unrecognized arguments|usage: az|Please specify only one of/,
      {
        hint: 'This Azure CLI refused the arguments: update it to a supported version.',
        outcome: 'not_issued',
      },
    ],
    [
      /Connection refused|Failed to establish a new connection|Name or service not known|CERTIFICATE_VERIFY_FAILED/,
      {
        hint: 'The control-plane host cannot reach Entra: check its network, proxy and CA settings.',
        outcome: 'not_issued',
      },
    ],
  ]),
});

function same(left: string, right: string): boolean {
  return left.toLowerCase() === right.toLowerCase();
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** az echoes the tenant that it was given; an id can be held against the token too, a domain cannot. */
function tenantFits(asked: string, named: string[]): boolean {
  if (!isGuid.test(asked)) return same(named[0]!, asked) || isGuid.test(named[0]!);
  return same(named[0]!, asked) && (named[1] === '' || same(named[1]!, asked));
}

/** The claims of a JWT, unverified; empty where the token is opaque, as Microsoft allows. */
function claimsOf(token: string): Record<string, unknown> {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    return typeof claims === 'object' && claims !== null ? (claims as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/**
 * `expires_on` (az >= 2.54) is in epoch seconds; `expiresOn` is local time without a zone, which `TZ=UTC` in the
 * child's environment makes UTC. The token's own `exp` wins where it is earlier: az may not have heeded TZ.
 */
function expiry(expires_on: unknown, expiresOn: unknown, exp: unknown): Date {
  const own = typeof exp === 'number' && Number.isFinite(exp) ? exp * 1000 : Number.POSITIVE_INFINITY;
  return new Date(Math.min(fromSeconds(expires_on) ?? fromLocal(expiresOn), own));
}

function fromSeconds(value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined;
  const seconds = typeof value === 'string' && /^\d{1,12}$/.test(value) ? Number(value) : value;
  if (typeof seconds !== 'number' || !Number.isFinite(seconds))
    throw offExpiry('az answered with an expires_on that is not in seconds');
  return seconds * 1000;
}

function fromLocal(value: unknown): number {
  const match =
    typeof value === 'string' ? /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.\d{1,6})?$/.exec(value) : null;
  const time = match ? timeOf(`${match[1]}T${match[2]}Z`) : undefined;
  if (time) return time.getTime();
  throw offExpiry('az answered without a readable expiry');
}
