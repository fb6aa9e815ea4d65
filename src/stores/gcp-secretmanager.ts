/**
 * Google Cloud Secret Manager: one secret per key, over its REST API.
 *
 * Each persist adds a version, and then commits it: one update of the secret, guarded by its etag, sets both the
 * annotations, which hold the metadata, and the alias `current`, which `read` follows. So the metadata is always that
 * of the version which is read, whatever fails in between. `gcloud secrets versions access current --secret=...` gives
 * the credential.
 *
 * Over fetch, with google-auth-library for the token alone: the client of @google-cloud/secret-manager brings gRPC and
 * retries of its own, and its calls do not end with an AbortSignal.
 */
import type { GoogleAuth } from 'google-auth-library';
import type { CredentialMetadata, CredentialStore } from '../credential.js';
import { metadataOf } from '../credential.js';
import type { CredentialKey } from '../key.js';
import { metadataIn } from './description.js';
import { loadPeer } from './peer.js';
import { badUrl, type Call, type EndpointOptions, Refusal, remoteStore, type Service } from './remote.js';
import { prefixPattern, secretName, startOf } from './secret-name.js';
import { networkTrouble, type Trouble } from './trouble.js';

const alias = 'current';
const nameLength = 255;
const commitTries = 8;
const urlHint =
  'Name the store as gcp-secretmanager:PROJECT/PREFIX, such as gcp-secretmanager:my-project/cloud-cli.';

/**
 * Opens the store `gcp-secretmanager:PROJECT[/PREFIX]`, with the Application Default Credentials of this host. A
 * replaced credential is kept until the next one is, for readers that Google's caches lead to it; older ones are
 * destroyed.
 * @throws CloudCliError `invalid_request` for a URL that names no such place, and where google-auth-library is missing
 */
export async function openGcpSecretManagerStore(
  url: string,
  options: EndpointOptions = {},
): Promise<Required<CredentialStore>> {
  const [, project, prefix = ''] =
    /^gcp-secretmanager:([a-z][a-z0-9.:-]{2,60}[a-z0-9]|\d{6,20})(?:\/([^/]*))?\/?$/.exec(url) ?? [];
  if (project === undefined) throw badUrl('names no project of Google Cloud', urlHint);
  if (prefix !== '' && !prefixPattern.test(prefix))
    throw badUrl('must have a prefix of at most 40 lower-case letters, digits and single dashes', urlHint);
  const { GoogleAuth } = await loadPeer('google-auth-library', () => import('google-auth-library'));
  // Without a project it would start gcloud to ask for one.
  const auth = new GoogleAuth({
    scopes: 'https://www.googleapis.com/auth/cloud-platform',
    projectId: project,
  });
  return remoteStore(new SecretManager(auth, project, prefix, options.endpoint), options);
}

/** An answer that is no success. Its words stay here. */
class GoogleAnswer extends Error {
  constructor(
    readonly status: number,
    readonly code: string | undefined,
    readonly reason: string | undefined,
  ) {
    super('Google answered with a failure');
  }
}

/** No token could be had for this host. */
class NoToken extends Error {
  constructor(readonly trouble: Trouble | undefined) {
    super('no token for Google');
  }
}

interface GoogleSecret {
  name?: string;
  etag?: string;
  annotations?: Record<string, string>;
  versionAliases?: Record<string, string>;
}

interface Answer {
  status: number;
  body: GoogleSecret & {
    payload?: { data?: string };
    secrets?: GoogleSecret[];
    versions?: { name?: string }[];
    nextPageToken?: string;
  };
}

class SecretManager implements Service {
  readonly title: string;
  /** Of a payload: https://cloud.google.com/secret-manager/quotas */
  readonly most_bytes = 65536;
  readonly #auth: GoogleAuth;
  readonly #secrets: string;
  readonly #prefix: string;

  constructor(
    auth: GoogleAuth,
    project: string,
    prefix: string,
    endpoint = 'https://secretmanager.googleapis.com',
  ) {
    this.#auth = auth;
    this.#secrets = `${endpoint.replace(/\/$/, '')}/v1/projects/${project}/secrets`;
    this.#prefix = prefix;
    this.title = `Secret Manager of project ${project}`;
  }

  readonly probe: Service['probe'] = async (call) => {
    await this.#ask(call, 'list', 'GET', '?pageSize=1');
  };

  readonly write: Service['write'] = async (key, text, metadata, call) => {
    const secret = `/${this.#name(key)}`;
    const payload = { payload: { data: Buffer.from(text).toString('base64') } };
    let held = await this.#ask(call, 'get', 'GET', secret, { accept: [404] });
    if (held.status === 404) {
      const query = `?secretId=${this.#name(key)}`;
      const empty = { replication: { automatic: {} } };
      // Another may be faster, or an earlier try of this may have been.
      await this.#ask(call, 'create', 'POST', query, { body: empty, accept: [409] });
      held = await this.#ask(call, 'get', 'GET', secret);
    }
    // Another try of it adds one more version, which nothing points to and the next persist destroys.
    const added = await this.#ask(call, 'versions.add', 'POST', `${secret}:addVersion`, { body: payload });
    const version = versionIn(added.body.name);
    const previous = await this.#commit(call, secret, version, metadata, held.body);
    await this.#destroyOlder(call, secret, Math.min(version, previous)).catch(() => {});
  };

  readonly read: Service['read'] = async (key, call) => {
    const path = `/${this.#name(key)}/versions/${alias}:access`;
    const { status, body } = await this.#ask(call, 'versions.access', 'GET', path, { accept: [404] });
    if (status === 404 || body.payload?.data === undefined) return undefined;
    return Buffer.from(body.payload.data, 'base64').toString('utf8');
  };

  readonly describe: Service['describe'] = async (key, call) => {
    const { body } = await this.#ask(call, 'get', 'GET', `/${this.#name(key)}`, { accept: [404] });
    return this.#described(body);
  };

  readonly list: Service['list'] = async (call) => {
    const found: CredentialMetadata[] = [];
    const filter =
      this.#prefix === '' ? '' : `&filter=${encodeURIComponent(`name:${startOf(this.#prefix)}`)}`;
    let token: string | undefined;
    do {
      const more = token === undefined ? '' : `&pageToken=${encodeURIComponent(token)}`;
      const { body } = await this.#ask(call, 'list', 'GET', `?pageSize=250${filter}${more}`);
      for (const secret of body.secrets ?? []) {
        const metadata = this.#described(secret);
        if (metadata) found.push(metadata);
      }
      token = body.nextPageToken || undefined;
    } while (token !== undefined);
    return found;
  };

  readonly remove: Service['remove'] = async (key, call) => {
    if ((await this.describe(key, call)) === undefined) return false;
    const path = `/${this.#name(key)}`;
    await this.#ask(call, 'delete', 'DELETE', path, { accept: [404] });
    return true;
  };

  readonly explain = (error: unknown): Trouble => {
    if (error instanceof NoToken) return error.trouble ?? { kind: 'login', hint: loginHint };
    if (!(error instanceof GoogleAnswer)) return networkTrouble(error) ?? { kind: 'unclear' };
    const { status, code, reason } = error;
    if (reason === 'SERVICE_DISABLED' || reason === 'BILLING_DISABLED')
      return {
        kind: 'refused',
        status,
        code: reason,
        hint: 'Run: gcloud services enable secretmanager.googleapis.com',
      };
    return { kind: kindOf(status), status, code, hint: status === 401 ? loginHint : undefined };
  };

  /** Makes `version` the current one together with its metadata; gives the one that it replaced, 0 where there was none. */
  async #commit(
    call: Call,
    secret: string,
    version: number,
    metadata: CredentialMetadata,
    read: GoogleSecret,
  ): Promise<number> {
    let held = read;
    for (let attempt = 1; attempt <= commitTries; attempt += 1) {
      const previous = Number(held.versionAliases?.[alias] ?? 0);
      // An earlier try of the commit was done, or another persist came later and was faster: that stays.
      if (previous >= version) return previous === version ? 0 : previous;
      const body = {
        ...(held.etag === undefined ? {} : { etag: held.etag }),
        annotations: { ...held.annotations, ...metadataOf(metadata) },
        versionAliases: { ...held.versionAliases, [alias]: String(version) },
      };
      const path = `${secret}?updateMask=annotations,versionAliases`;
      const { status } = await this.#ask(call, 'update', 'PATCH', path, { body, accept: [409, 412] });
      if (status < 300) return previous;
      held = (await this.#ask(call, 'get', 'GET', secret)).body;
    }
    throw new Refusal(
      `${this.title} has others who write the same secret all the time`,
      'Let one host at a time mint it, then run it again.',
    );
  }

  /** Tokens that nobody needs must not pile up. What cannot be destroyed now is by the next persist. */
  async #destroyOlder(call: Call, secret: string, than: number): Promise<void> {
    const path = `${secret}/versions?pageSize=100&filter=${encodeURIComponent('state:ENABLED')}`;
    const { body } = await this.#ask(call, 'versions.list', 'GET', path);
    const numbers = (body.versions ?? []).map(({ name }) => versionIn(name));
    for (const number of numbers.filter((each) => each < than))
      await this.#ask(call, 'versions.destroy', 'POST', `${secret}/versions/${number}:destroy`, { body: {} });
  }

  #described({ name = '', annotations = {}, versionAliases }: GoogleSecret): CredentialMetadata | undefined {
    const metadata = metadataIn(annotations);
    // A secret that was copied, or that a store with another prefix wrote, is not this store's.
    const isOurs = metadata && name.split('/').at(-1) === this.#name(metadata.credential_key);
    return isOurs && versionAliases?.[alias] !== undefined ? metadata : undefined;
  }

  #name(key: CredentialKey | string): string {
    return secretName(this.#prefix, key, nameLength);
  }

  async #ask(
    call: Call,
    permission: string,
    method: string,
    path: string,
    { body, accept = [] }: { body?: unknown; accept?: readonly number[] } = {},
  ): Promise<Answer> {
    const resource = permission.includes('.') ? permission : `secrets.${permission}`;
    return call(`secretmanager.${resource}`, async (signal) => {
      const headers = await this.#headers();
      headers.set('content-type', 'application/json');
      const sent = body === undefined ? {} : { body: JSON.stringify(body) };
      const response = await fetch(this.#secrets + path, {
        method,
        headers,
        signal,
        redirect: 'error',
        ...sent,
      });
      const text = await response.text();
      const { status } = response;
      if (response.ok || accept.includes(status))
        return { status, body: status < 300 ? JSON.parse(text) : {} };
      const { error } = failureIn(text);
      throw new GoogleAnswer(status, error?.status, error?.details?.find(({ reason }) => reason)?.reason);
    });
  }

  /** With the quota project, where a person's login needs one. */
  async #headers(): Promise<Headers> {
    try {
      return new Headers(await this.#auth.getRequestHeaders(this.#secrets));
    } catch (error) {
      throw new NoToken(networkTrouble(error));
    }
  }
}

const loginHint =
  'Run: gcloud auth application-default login; or give this host a service account, or GOOGLE_APPLICATION_CREDENTIALS.';

function kindOf(status: number): Trouble['kind'] {
  if (status === 401) return 'login';
  if (status === 403) return 'denied';
  if (status === 404) return 'missing';
  if (status === 429 || status === 503) return 'busy';
  return status >= 500 ? 'unclear' : 'refused';
}

function failureIn(text: string): { error?: { status?: string; details?: { reason?: string }[] } } {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}

/** `projects/P/secrets/S/versions/7` is version 7. */
function versionIn(name: string | undefined): number {
  const version = Number(/\/versions\/(\d+)$/.exec(name ?? '')?.[1]);
  if (Number.isSafeInteger(version)) return version;
  throw new Refusal(
    'Secret Manager gave a version without its number',
    'Run it again, and report it if it persists.',
  );
}
