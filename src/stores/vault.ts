/**
 * HashiCorp Vault and OpenBao: one KV version 2 secret per key, whose fields are the parts of the credential, so that
 * `vault kv get -field=session_token MOUNT/PREFIX/idp/aws/prod` gives one of them.
 *
 * The metadata stands in the names of a nested field, `cloud_cli`, and not in custom_metadata: that belongs to the
 * secret and not to a version, and is written by a call of its own, so that after a crash or a race between the two
 * it would describe another version than the one that is read. KV's `subkeys` gives the names of a version without its
 * values (https://developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2#read-secret-subkeys), which is what `describe`
 * and `list` need: one write is atomic, and nobody reads a secret to tell when it expires.
 */
/// <reference types="node" preserve="true" />
import type { CredentialMetadata, CredentialStore } from '../credential.js';
import { metadataOf } from '../credential.js';
import { joined } from '../joined.js';
import type { CredentialKey } from '../key.js';
import { metadataIn } from './description.js';
import { badUrl, type Call, Refusal, type RemoteOptions, remoteStore, type Service } from './remote.js';
import { networkTrouble, type Trouble } from './trouble.js';
import { type PostAuth, type VaultAuth, vaultLogin } from './vault-login.js';

/** Clocks, and where the login is looked up. */
export interface VaultOptions extends RemoteOptions {
  /** Where VAULT_TOKEN and its like are looked up; default process.env. */
  env?: NodeJS.ProcessEnv;
}

/** Consul, as Vault's storage, takes no larger entry. */
const mostBytes = 512 * 1024;
const casTries = 8;
const metadataField = 'cloud_cli';

/**
 * Opens the store `vault+https://HOST[:PORT]/MOUNT[/PREFIX]`, or `vault+http:` on loopback. A mount of several
 * segments is written with %2F. What `persist` writes carries the version that it replaces (check-and-set), so that
 * of two at once neither is lost unseen: both stay as versions of the secret, and the later one is current.
 * @throws CloudCliError `invalid_request` for a URL that names no such place
 */
export async function openVaultStore(
  url: string,
  options: VaultOptions = {},
): Promise<Required<CredentialStore>> {
  return remoteStore(new Vault(placeIn(url), options.env ?? process.env), options);
}

interface Place {
  origin: string;
  mount: string;
  prefix: string;
}

const urlHint =
  'Name the store as vault+https://HOST/MOUNT/PREFIX, such as vault+https://vault.example/secret/cloud-cli.';

function placeIn(text: string): Place {
  const address = text.replace(/^vault\+(?=https?:)/, '');
  if (address === text || !URL.canParse(address)) throw badUrl('is no URL of a Vault', urlHint);
  const url = new URL(address);
  if (url.username || url.password || url.search || url.hash)
    throw badUrl(
      'must hold no login, query or fragment',
      'Set VAULT_TOKEN, or log in as docs/stores.md says.',
    );
  if (url.protocol === 'http:' && !/^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname))
    throw badUrl('must be vault+https: for another host than this', urlHint);
  const [mount = '', ...prefix] = url.pathname.slice(1).replace(/\/$/, '').split('/');
  const segments = [...mount.replace(/%2f/gi, '/').split('/'), ...prefix];
  if (!segments.every((segment) => /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(segment)))
    throw badUrl('must name a mount, and a prefix of letters, digits and ._-', urlHint);
  return {
    origin: url.origin,
    mount: mount.replace(/%2f/gi, '/'),
    prefix: prefix.map((each) => `${each}/`).join(''),
  };
}

/** An answer that is no success. Its words stay here. */
class VaultAnswer extends Error {
  constructor(
    readonly status: number,
    readonly says: string,
    readonly isLogin: boolean,
  ) {
    super('Vault answered with a failure');
  }
}

interface Asked {
  method: string;
  path: string;
  body?: unknown;
  token?: string | undefined;
  /** Statuses that are no failure here. */
  accept?: readonly number[];
}

interface Answer {
  status: number;
  body: { auth?: VaultAuth; data?: unknown; errors?: string[] };
}

class Vault implements Service {
  readonly title: string;
  readonly most_bytes = mostBytes;
  readonly #place: Place;
  readonly #namespace: string | undefined;
  readonly #login: ReturnType<typeof vaultLogin>;

  constructor(place: Place, env: NodeJS.ProcessEnv) {
    this.#place = place;
    this.#namespace = env.VAULT_NAMESPACE || undefined;
    this.#login = vaultLogin(env, this.#postAuth);
    this.title = `Vault at ${place.origin}`;
  }

  readonly probe: Service['probe'] = async (call) => {
    // What the vault command asks before it touches KV; it needs any permission below the mount, and no policy of its own.
    const path = `sys/internal/ui/mounts/${this.#place.mount}`;
    const { body } = await this.#ask(call, `any permission below ${this.#place.mount}/`, {
      method: 'GET',
      path,
    });
    const { type, options } = (body.data ?? {}) as { type?: string; options?: { version?: string } | null };
    if (type === 'kv' && options?.version === '2') return;
    throw new Refusal(
      `${this.title} has no KV version 2 at ${this.#place.mount}`,
      `Enable one: vault secrets enable -path=${this.#place.mount} kv-v2; or name another mount in the store URL.`,
    );
  };

  readonly write: Service['write'] = async (key, text, metadata, call) => {
    const names = Object.entries(metadataOf(metadata)).map(([name, value]) => [name, { [value]: true }]);
    const data = { ...JSON.parse(text), [metadataField]: Object.fromEntries(names) };
    for (let attempt = 1; attempt <= casTries; attempt += 1) {
      const { version } = await this.#current(key, call);
      const path = this.#path('data', key);
      const write = { method: 'POST', path, body: { options: { cas: version }, data }, accept: [400] };
      const { status, body } = await this.#ask(call, `create and update on ${path}`, write);
      if (status !== 400) return;
      if (!/check-and-set/.test(String(body.errors))) throw refusedWrite(this.title);
      // An earlier try of this write may have been done without its answer having come through.
      const next = await this.#current(key, call, version + 1);
      if (next.metadata?.audit_run_id === metadata.audit_run_id) return;
    }
    throw new Refusal(
      `${this.title} has others who write ${key} all the time`,
      'Let one host at a time mint it, then run it again.',
    );
  };

  readonly read: Service['read'] = async (key, call) => {
    const path = this.#path('data', key);
    const { status, body } = await this.#ask(call, `read on ${path}`, { method: 'GET', path, accept: [404] });
    if (status === 404) return undefined;
    const { data } = (body.data ?? {}) as { data?: Record<string, unknown> | null };
    if (!data) return undefined;
    return JSON.stringify({ ...data, [metadataField]: undefined });
  };

  readonly describe: Service['describe'] = async (key, call) => (await this.#current(key, call)).metadata;

  readonly list: Service['list'] = async (call) => {
    const keys = await this.#keysBelow('', call);
    const found: CredentialMetadata[] = [];
    // Some at a time: one by one, many keys would outlast the clock.
    for (let at = 0; at < keys.length; at += 8) {
      const some = keys.slice(at, at + 8).map((key) => this.#current(key, call));
      for (const { metadata } of await Promise.all(some)) if (metadata) found.push(metadata);
    }
    return found;
  };

  readonly remove: Service['remove'] = async (key, call) => {
    // Without our metadata it is another's.
    if ((await this.#current(key, call)).metadata === undefined) return false;
    const path = this.#path('metadata', key);
    await this.#ask(call, `delete on ${path}`, { method: 'DELETE', path, accept: [404] });
    return true;
  };

  readonly explain = (error: unknown): Trouble => {
    if (!(error instanceof VaultAnswer)) return networkTrouble(error) ?? { kind: 'unclear' };
    const { status, isLogin } = error;
    const kind = kindOf(status, isLogin);
    return { kind, status, hint: hintFor(kind, status, error.says, this.#place.mount) };
  };

  readonly close = async (call: Call): Promise<void> => {
    const token = this.#login.own();
    if (token === undefined) return;
    // A token that outlives its use is one more that can be stolen.
    const revoke = { method: 'POST', path: 'auth/token/revoke-self', body: {}, token };
    // Whoever waits for the end of a command should not wait for this.
    const hasty = AbortSignal.timeout(2000);
    await call(revoke.path, (signal) => this.#request(revoke, joined(signal, hasty)), 'once');
  };

  /** The version that the next write replaces, and what its metadata says; 0 where there is none. */
  async #current(key: CredentialKey | string, call: Call, version?: number) {
    const path = this.#path('subkeys', key);
    const query = version === undefined ? '' : `?version=${version}`;
    const asked = { method: 'GET', path: path + query, accept: [404] };
    // A version that was deleted answers with 404, and still tells its number.
    const { body } = await this.#ask(call, `read on ${path}`, asked);
    const { subkeys, metadata } = (body.data ?? {}) as {
      subkeys?: Record<string, unknown> | null;
      metadata?: { version?: unknown };
    };
    const names = Object.entries((subkeys?.[metadataField] ?? {}) as object);
    const values = Object.fromEntries(names.map(([name, value]) => [name, Object.keys(value ?? {})[0]]));
    const ours = metadataIn(values);
    return {
      version: Number(metadata?.version ?? 0),
      // A secret that was copied here from another path is not this key's.
      metadata: ours?.credential_key === `${key}` ? ours : undefined,
    };
  }

  async #keysBelow(folder: string, call: Call): Promise<string[]> {
    const path = `${this.#place.mount}/metadata/${this.#place.prefix}${folder}`;
    // The same as the method LIST, which not every proxy and server lets pass.
    const asked = { method: 'GET', path: `${path.replace(/\/$/, '')}?list=true`, accept: [404] };
    const { body } = await this.#ask(call, `list on ${path}`, asked);
    const { keys = [] } = (body.data ?? {}) as { keys?: unknown[] };
    const found: string[] = [];
    for (const name of keys) {
      // A key has 8 segments at most; what else lies there is another's.
      if (typeof name !== 'string' || folder.split('/').length > 8 || !/^[a-z0-9][a-z0-9._-]*\/?$/.test(name))
        continue;
      if (name.endsWith('/')) found.push(...(await this.#keysBelow(folder + name, call)));
      else if (folder !== '') found.push((folder + name).replaceAll('/', ':'));
    }
    return found;
  }

  #path(api: 'data' | 'metadata' | 'subkeys', key: CredentialKey | string): string {
    // Vault's own separator, so that a policy can name a service's keys by `idp/*`.
    return `${this.#place.mount}/${api}/${this.#place.prefix}${`${key}`.replaceAll(':', '/')}`;
  }

  /** Asks with the token of this host, and with a new one where that was refused. */
  async #ask(call: Call, needs: string, asked: Asked): Promise<Answer> {
    const accept = asked.accept ?? [];
    const token = await this.#login.token(call);
    const send = (more: Partial<Asked>) =>
      call(needs, (signal) => this.#request({ ...asked, token, ...more }, signal));
    // Vault answers to a token that has run out as to one that lacks a permission.
    const answer = await send(this.#login.own() === undefined ? {} : { accept: [...accept, 403] });
    if (answer.status !== 403) return answer;
    this.#login.forget();
    return send({ token: await this.#login.token(call) });
  }

  readonly #postAuth: PostAuth = async (call, needs, path, body, token) => {
    // Once: a secret id may be good for a few logins only.
    const asked = { method: 'POST', path, body, token };
    const answer = await call(needs, (signal) => this.#request(asked, signal, true), 'once');
    if (typeof answer.body.auth?.client_token === 'string') return answer.body.auth;
    throw new Refusal(`${this.title} answered to ${path} without a token`, 'Check VAULT_AUTH_MOUNT.');
  };

  async #request(asked: Asked, signal: AbortSignal, isLogin = false): Promise<Answer> {
    const { method, path, body, token, accept = [] } = asked;
    const response = await fetch(`${this.#place.origin}/v1/${path}`, {
      method,
      signal,
      // A standby may send elsewhere: the token goes nowhere but to the host that was named.
      redirect: 'manual',
      headers: {
        'x-vault-request': 'true',
        ...(token === undefined ? {} : { 'x-vault-token': token }),
        ...(this.#namespace === undefined ? {} : { 'x-vault-namespace': this.#namespace }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const { status } = response;
    if (!response.ok && !accept.includes(status)) throw new VaultAnswer(status, text, isLogin);
    const answer: Answer['body'] = text === '' ? {} : JSON.parse(text);
    // Where a secret is missing there is nothing to say; a path that Vault does not know it says so of.
    if (status === 404 && (answer.errors ?? []).length > 0) throw new VaultAnswer(status, text, isLogin);
    return { status, body: answer };
  }
}

function kindOf(status: number, isLogin: boolean): Trouble['kind'] {
  if (isLogin && [400, 401, 403, 404].includes(status)) return 'login';
  if (status === 401 || status === 403) return 'denied';
  if (status === 404 || status === 405) return 'missing';
  if (status === 413) return 'full';
  // 429 and 473 are standbys or a quota, 412 a replica that lags behind, 503 a seal or maintenance:
  // https://developer.hashicorp.com/vault/api-docs#http-status-codes
  if ([412, 429, 473, 503].includes(status)) return 'busy';
  return status >= 500 ? 'unclear' : 'refused';
}

function hintFor(kind: Trouble['kind'], status: number, says: string, mount: string): string | undefined {
  if (kind === 'login')
    return 'Check VAULT_ROLE_ID and VAULT_SECRET_ID, or VAULT_K8S_ROLE, and VAULT_AUTH_MOUNT.';
  if (status >= 300 && status < 400)
    return 'It is a standby that sends elsewhere: name the active node or the load balancer in the store URL.';
  if (status === 503 && /sealed/i.test(says)) return 'Unseal it: vault operator unseal.';
  if (kind === 'missing')
    return `Enable KV version 2 there: vault secrets enable -path=${mount} kv-v2; Vault must be 1.10 or later.`;
  return undefined;
}

function refusedWrite(title: string): Refusal {
  return new Refusal(`${title} refused the write (HTTP 400)`, 'Check that the mount is KV version 2.');
}
