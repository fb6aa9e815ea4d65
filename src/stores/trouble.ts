/** What can be wrong with a service, in words of ours: nothing of what it answered but its status and error code. */

/**
 * `busy` and `unreachable`: nothing was done. `unclear`: there is no whole answer, so that it may have been done.
 * The rest does not get better by itself.
 */
export type Kind =
  | 'login'
  | 'denied'
  | 'missing'
  | 'full'
  | 'refused'
  | 'untrusted'
  | 'busy'
  | 'unreachable'
  | 'unclear';

export interface Trouble {
  kind: Kind;
  status?: number | undefined;
  /** Of the vendor or of Node.js; told only where it looks like one. */
  code?: string | undefined;
  /** Instead of the kind's own. */
  hint?: string | undefined;
}

/** Words that follow the name of the service, and what to do. */
const kinds: Readonly<Record<Kind, readonly [string, string]>> = {
  login: ["does not accept this host's login", 'Log this host in.'],
  denied: ['denies it', 'Grant it.'],
  missing: ['does not have that place', 'Check the store URL.'],
  full: ['takes no more', 'Remove what is not needed, or have the quota raised.'],
  refused: ['refused', 'Check the store URL and the settings of the service.'],
  untrusted: [
    'shows a certificate that this host does not trust',
    'Name the file of its authority in NODE_EXTRA_CA_CERTS.',
  ],
  busy: ['is busy', 'Run it again; have the quota raised if it persists.'],
  unreachable: ['cannot be reached', 'Check the store URL, and whether this host may connect there.'],
  unclear: ['gave no whole answer', 'Run it again, and look at the state of the service if it persists.'],
};

/** Message and hint; `needs` is the permission that was used. */
export function wordsFor(title: string, { kind, status, code, hint }: Trouble, needs: string) {
  const [words, fix] = kinds[kind];
  const facts = [...(isCode(code) ? [code] : []), ...(status === undefined ? [] : [`HTTP ${status}`])];
  const grant =
    kind === 'denied'
      ? `Grant this host ${needs} (docs/stores.md has all that it needs), or renew a login that has run out.`
      : fix;
  return {
    message: `${title} ${words}${facts.length > 0 ? ` (${facts.join(', ')})` : ''}`,
    hint: hint ?? grant,
  };
}

/** A token that a broken service puts where its code belongs has digits in it, or is longer. */
function isCode(code: unknown): code is string {
  return typeof code === 'string' && /^[A-Z][A-Za-z_]{2,60}$/.test(code);
}

const notSent = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** What the network did; undefined where `error` is not of the network. */
export function networkTrouble(error: unknown): Trouble | undefined {
  const code = networkCode(error);
  if (code === undefined) return undefined;
  if (/CERT|SELF_SIGNED|TLS|UNABLE_TO_VERIFY/.test(code)) return { kind: 'untrusted', code };
  return { kind: notSent.has(code) ? 'unreachable' : 'unclear', code };
}

/** fetch puts Node's error into `cause`, and where a name has two addresses that one holds several. */
function networkCode(error: unknown, depth = 0): string | undefined {
  if (depth > 3 || typeof error !== 'object' || error === null) return undefined;
  const { code, cause, errors } = error as { code?: unknown; cause?: unknown; errors?: unknown };
  if (typeof code === 'string' && /^(E[A-Z]{3,}|EAI_AGAIN|UND_ERR_\w+|\w*(CERT|TLS)\w*)$/.test(code))
    return code;
  return networkCode(Array.isArray(errors) ? errors[0] : cause, depth + 1);
}
