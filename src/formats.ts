/** The forms in which a credential leaves for its user: the environment of a child, and an AWS credential process. */
import type { Credential } from './credential.js';
import { CloudCliError, invalidRequest } from './errors.js';
import { listHandlers, type MoreHandlers } from './request.js';
import { Secret } from './secret.js';

/**
 * `parent` with the credentials in it, as each vendor's own tools read them, and without the parent credentials
 * that these tools would otherwise prefer.
 * @throws CloudCliError `invalid_request` when two credentials need the same variable
 */
export function useEnvironment(
  parent: NodeJS.ProcessEnv,
  credentials: readonly Credential[],
  more: MoreHandlers = {},
): NodeJS.ProcessEnv {
  const env = { ...parent };
  const holder = new Map<string, string>();
  for (const credential of credentials) for (const name of useOf(credential, more).cleared) delete env[name];
  for (const credential of credentials) {
    for (const [name, member] of Object.entries(useOf(credential, more).variables)) {
      const other = holder.get(name);
      if (other !== undefined) {
        const message = `${credential.credential_key} and ${other} both need ${name}`;
        throw invalidRequest([{ field: 'key', message }], 'Run the command once for each of them.');
      }
      holder.set(name, credential.credential_key);
      env[name] = opened(credential, member);
    }
  }
  return env;
}

/**
 * What an AWS profile's `credential_process` prints: one JSON document, with the secret in the clear.
 * @throws CloudCliError `invalid_request` for a credential that is of no use to AWS
 */
export function credentialProcess(credential: Credential, more: MoreHandlers = {}): string {
  const members = useOf(credential, more).credential_process;
  if (!members) {
    const message = `${credential.credential_key} is not an AWS credential`;
    throw invalidRequest([{ field: 'key', message }], 'Name the key of a credential that AWS tools can use.');
  }
  const answer = Object.entries(members).map(([name, member]) => [name, opened(credential, member)]);
  return JSON.stringify({ Version: 1, ...Object.fromEntries(answer) });
}

function useOf(credential: Credential, more: MoreHandlers) {
  const handler = listHandlers(more).find(({ name }) => name === credential.provider);
  if (handler) return handler.use;
  throw new CloudCliError(
    'not_found',
    `${credential.credential_key} is of a provider that this cloud-cli does not know`,
    {
      hint: 'Update cloud-cli on this host, or mint the credential again.',
    },
  );
}

function opened(credential: Credential, member: string): string {
  const value = (credential as unknown as Record<string, string | Secret>)[member];
  return value instanceof Secret ? value.reveal() : (value ?? '');
}
