/** How this host logs in to Vault: a token, AppRole or Kubernetes, named by the variables that Vault's users know. */
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type Call, Refusal } from './remote.js';

/** A token that a login or a renewal gave. */
export interface VaultAuth {
  client_token: string;
  /** Seconds; 0 means for ever. */
  lease_duration: number;
  renewable: boolean;
}

/** Posts to Vault without a token or with one, and gives the `auth` of its answer. */
export type PostAuth = (
  call: Call,
  needs: string,
  path: string,
  body: unknown,
  token?: string,
) => Promise<VaultAuth>;

export interface VaultLogin {
  /** The token to send now. */
  token(call: Call): Promise<string>;
  /** Drops a token that Vault refused; whether another can be had. */
  forget(): boolean;
  /** The token that this login made and nobody else has. */
  own(): string | undefined;
}

/** First present wins, as the most explicit one. */
export function vaultLogin(env: NodeJS.ProcessEnv, post: PostAuth): VaultLogin {
  const { VAULT_TOKEN, VAULT_ROLE_ID, VAULT_K8S_ROLE, VAULT_AUTH_MOUNT } = env;
  if (VAULT_TOKEN) return givenToken(async () => VAULT_TOKEN);
  if (VAULT_ROLE_ID) {
    const path = `auth/${VAULT_AUTH_MOUNT || 'approle'}/login`;
    return exchanged(path, post, async () => ({
      role_id: VAULT_ROLE_ID,
      ...(env.VAULT_SECRET_ID ? { secret_id: env.VAULT_SECRET_ID } : {}),
    }));
  }
  if (VAULT_K8S_ROLE) {
    const file = env.VAULT_K8S_TOKEN_FILE || '/var/run/secrets/kubernetes.io/serviceaccount/token';
    const path = `auth/${VAULT_AUTH_MOUNT || 'kubernetes'}/login`;
    // Kubernetes rotates the file.
    return exchanged(path, post, async () => ({
      role: VAULT_K8S_ROLE,
      jwt: await firstLine(
        file,
        'Mount a service account token there, or name its file in VAULT_K8S_TOKEN_FILE.',
      ),
    }));
  }
  const file = join(env.HOME || homedir(), '.vault-token');
  return givenToken(() =>
    firstLine(
      file,
      'Run: vault login; or set VAULT_TOKEN, VAULT_ROLE_ID with VAULT_SECRET_ID, or VAULT_K8S_ROLE.',
    ),
  );
}

function givenToken(token: () => Promise<string>): VaultLogin {
  return { token, forget: () => false, own: () => undefined };
}

function exchanged(path: string, post: PostAuth, body: () => Promise<unknown>): VaultLogin {
  let held: { auth: VaultAuth; since: number } | undefined;
  const take = (auth: VaultAuth) => {
    held = { auth, since: Date.now() };
    return auth.client_token;
  };
  return {
    async token(call) {
      if (held) {
        const { client_token, lease_duration, renewable } = held.auth;
        const age = (Date.now() - held.since) / 1000;
        // A third of the lease is left for the calls that are made with the token.
        if (lease_duration === 0 || age < (lease_duration * 2) / 3) return client_token;
        if (renewable && age < lease_duration) {
          // Renewing spares a secret id that may be used a few times only.
          const renewed = await post(
            call,
            'auth/token/renew-self',
            'auth/token/renew-self',
            {},
            client_token,
          ).catch(() => undefined);
          // Near its maximum a token is renewed for what is left, which may be next to nothing.
          if (renewed && renewed.lease_duration >= lease_duration / 3) return take(renewed);
        }
      }
      return take(await post(call, path, path, await body()));
    },
    forget() {
      held = undefined;
      return true;
    },
    own: () => held?.auth.client_token,
  };
}

async function firstLine(file: string, hint: string): Promise<string> {
  try {
    const [line = ''] = (await readFile(file, 'utf8')).trim().split('\n');
    if (line !== '') return line;
  } catch (error) {
    const { code = 'unreadable' } = error as NodeJS.ErrnoException;
    throw new Refusal(`this host has no login for Vault: ${file} cannot be read (${code})`, hint);
  }
  throw new Refusal(`this host has no login for Vault: ${file} is empty`, hint);
}
