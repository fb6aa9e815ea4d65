/** What the two stores on AWS share: their URLs, and what the SDK's errors mean. */
import { badUrl, type EndpointOptions } from './remote.js';
import { networkTrouble, type Trouble } from './trouble.js';

export interface AwsPlace {
  /** With a slash at its end. */
  prefix: string;
  region: string | undefined;
  kms_key_id: string | undefined;
}

/** Reads `SCHEME:PREFIX[?region=R&kms_key_id=K]`. */
export function awsPlaceIn(text: string, prefixPattern: RegExp, hint: string): AwsPlace {
  const [, path = '', query = ''] = /^[a-z-]+:([^?#]*)(?:\?([^#]*))?$/.exec(text) ?? [];
  const prefix = path.replace(/\/$/, '');
  if (!prefixPattern.test(prefix)) throw badUrl('names no prefix that the service allows', hint);
  const settings = new URLSearchParams(query);
  const unknown = [...settings.keys()].some((name) => name !== 'region' && name !== 'kms_key_id');
  const region = settings.get('region') ?? undefined;
  const kms_key_id = settings.get('kms_key_id') ?? undefined;
  if (unknown || (region !== undefined && !/^[a-z0-9-]{1,64}$/.test(region)) || kms_key_id === '')
    throw badUrl('takes region and kms_key_id behind its question mark, and nothing else', hint);
  return { prefix: `${prefix}/`, region, kms_key_id };
}

/** Settings of a client; login, profile and AWS_ENDPOINT_URL_* are the SDK's own to find. */
export function awsSettings(place: AwsPlace, options: EndpointOptions) {
  return {
    // One place retries: here, where the clock of the whole method is known.
    maxAttempts: 1,
    ...(place.region === undefined ? {} : { region: place.region }),
    ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
  };
}

/** @throws CloudCliError `invalid_request` where neither the URL nor this host names a region */
export async function requireRegion(region: () => Promise<string>): Promise<string> {
  try {
    return await region();
  } catch {
    throw badUrl('names no AWS region, nor does this host', 'Add ?region=eu-central-1, or set AWS_REGION.');
  }
}

const loginHint =
  'Log this host in: `aws sts get-caller-identity` must work for this user; docs/stores.md says more.';
const keyHint =
  'Check kms_key_id, and grant this host kms:Decrypt and kms:GenerateDataKey or kms:Encrypt on that key.';

const codes: readonly (readonly [RegExp, Trouble['kind'], string?])[] = [
  [/^(CredentialsProviderError|TokenProviderError|ProviderError)$/, 'login', loginHint],
  [
    /^(UnrecognizedClient|ExpiredToken|InvalidClientTokenId|InvalidSignature|SignatureDoesNotMatch)/,
    'login',
    loginHint,
  ],
  [
    /^(IncompleteSignature|MissingAuthenticationToken|InvalidAccessKeyId|RequestExpired|OptInRequired)/,
    'login',
    loginHint,
  ],
  [/^AccessDenied/, 'denied'],
  [/^(InvalidKeyId|DecryptionFailure|EncryptionFailure|KMS)/, 'refused', keyHint],
  [/^(Throttl|TooManyRequests|TooManyUpdates|RequestLimitExceeded|ProvisionedThroughput|SlowDown)/, 'busy'],
  [/LimitExceeded/, 'full'],
];

/** The SDK's errors tell what they are by their name: https://docs.aws.amazon.com/general/latest/gr/api-retries.html */
export function awsTrouble(error: unknown): Trouble {
  const { name, $metadata } = error as { name?: string; $metadata?: { httpStatusCode?: number } };
  const status = $metadata?.httpStatusCode;
  const [, kind, hint] = codes.find(([pattern]) => pattern.test(name ?? '')) ?? [];
  if (kind) return { kind, status, code: name, hint };
  const network = networkTrouble(error);
  if (network) return network;
  if (status === 429 || status === 503) return { kind: 'busy', status, code: name };
  // Without a status the answer could not be read at all.
  if (status === undefined || status < 300 || status >= 500) return { kind: 'unclear', status, code: name };
  return { kind: status === 403 || status === 401 ? 'denied' : 'refused', status, code: name };
}

/** Whether the SDK's error is `name`. */
export function isNamed(error: unknown, ...names: string[]): boolean {
  return names.includes((error as Error).name);
}

/** Passes on any error that has none of `names`; those give undefined. */
export function absent(...names: string[]) {
  return (error: unknown): undefined => {
    if (!isNamed(error, ...names)) throw error;
  };
}
