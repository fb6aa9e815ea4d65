/** What is minted in a schedule, and with which stand-in. */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Stands in every secret that the stand-ins answer with: where it is found, a secret is. */
export const canaries = { old: 'oldcanary', new: 'newcanary' };

/** Words on which the vendor issues nothing. */
export const refusing = ['denied'];

/** A word of each provider's on which the vendor issues. */
export const successes = { aws: 'deploy', gcp: 'minter', azure: 'vault' };

export const lifetimeSeconds = 3600;

const requests = {
  aws: (word) => ({ role_arn: `arn:aws:iam::123456789012:role/${word}` }),
  gcp: (word) => ({ service_account_email: `${word}-00@my-project.iam.gserviceaccount.com` }),
  azure: (word) => ({ resource: `https://${word}.example/` }),
};

export const keyOf = (provider) => `idp:${provider}:prod`;

/** @param {{provider: string, word: string, timeout_seconds?: number}} scenario */
export function requestOf({ provider, word, timeout_seconds = 60 }, run_id) {
  return {
    provider,
    target_credential_key: keyOf(provider),
    ...requests[provider](word),
    timeout_seconds,
    ...(run_id === undefined ? {} : { run_id }),
  };
}

/** The parent environment of a mint. */
export function environmentOf({ directory, canary }) {
  return {
    PATH: `${join(root, 'fixtures', 'bin')}:${dirname(process.execPath)}:/usr/bin:/bin`,
    HOME: directory,
    FIXTURE_CANARY: canary,
    FIXTURE_RECORD: join(directory, 'record'),
    FIXTURE_LIFETIME_SECONDS: String(lifetimeSeconds),
  };
}

/** Where a schedule keeps its things: only what is below `home` is the product's. */
export const homeOf = (directory) => join(directory, 'home');
