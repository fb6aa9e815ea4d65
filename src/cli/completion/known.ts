/** The values that this host knows of, by the name of the argument or option that takes them; no secret is read. */
import { existsSync } from 'node:fs';
import { openAuditStore } from '../../audit/open.js';
import { loadSettings } from '../../config.js';
import { listHandlers } from '../../request.js';
import { runIdPattern } from '../../run-id.js';
import { withStore } from '../stored.js';
import { sayLeft } from '../time-left.js';

export interface Candidate {
  word: string;
  /** What it is, in a few words. */
  about: string;
}

type Source = (env: NodeJS.ProcessEnv) => readonly Candidate[] | Promise<readonly Candidate[]>;

/** As many runs as one looks through. */
const mostRuns = 20;

const providers: Source = () => listHandlers().map(({ name, title }) => ({ word: name, about: title }));

const targets: Source = (env) =>
  Object.entries(loadSettings(env).targets).map(([word, { provider, target_credential_key }]) => ({
    word,
    about: [provider, target_credential_key].filter((part) => typeof part === 'string').join(' '),
  }));

const keys: Source = async (env) => {
  const found = await withStore(loadSettings(env), (store) => store.list());
  return found.map((row) => ({ word: row.credential_key, about: `${row.provider}, ${sayLeft(row)}` }));
};

const runs: Source = async (env) => {
  const { audit_url } = loadSettings(env);
  // Opening a ledger makes it, which is not for a Tab to do.
  const file = /^sqlite:(.+)$/s.exec(audit_url)?.[1];
  if (file !== undefined && !existsSync(file)) return [];
  const ledger = await openAuditStore(audit_url);
  try {
    const rows = await ledger.list({ limit: mostRuns });
    return rows
      .filter(({ run_id }) => runIdPattern.test(run_id))
      .map((row) => ({ word: row.run_id, about: `${row.status} ${row.credential_key} ${row.created_at}` }));
  } finally {
    await ledger.close();
  }
};

/** Arguments by their name, options by that of their value in code. */
export const known: Readonly<Record<string, Source>> = {
  provider: providers,
  target: targets,
  key: keys,
  targetCredentialKey: keys,
  'run-id': runs,
  before: runs,
  what: runs,
};
