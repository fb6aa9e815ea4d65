/** Where a call is sent and where it comes from: a page that rebinds its name to this host is not answered. */
import { Problem } from './problem.js';

const loopback = ['localhost', '127.0.0.1', '[::1]'];

/** The names that a host goes by: those of loopback and `hosts`, without ports. One that is no host name is left out. */
export function ownNames(hosts: readonly string[]): ReadonlySet<string> {
  return new Set([...loopback, ...hosts].map(hostnameOf).filter((name) => name !== ''));
}

/**
 * Lets calls pass that name this host.
 * @throws Problem `misdirected_request`
 */
export function requireOwnHost(request: Request, names: ReadonlySet<string>): void {
  const url = new URL(request.url);
  const host = request.headers.get('host') ?? url.host;
  // A request line may hold a whole URL (RFC 9112 section 3.2.2), beside a Host header that says something else.
  const isOwn = names.has(url.hostname) && (host === url.host || names.has(hostnameOf(host)));
  if (isOwn && url.username === '' && url.password === '') return;
  throw new Problem({
    code: 'misdirected_request',
    message: 'this host does not go by the name that the call was sent to',
    hint: 'Call it by one of its own names, or add this one to `http.hosts` in its configuration.',
  });
}

/**
 * Lets a POST pass that no page, or a page of this host, sends.
 * @throws Problem `forbidden_origin`
 */
export function requireOwnOrigin(request: Request, names: ReadonlySet<string>): void {
  const origin = request.headers.get('origin');
  if (origin === null) return;
  const url = URL.canParse(origin) ? new URL(origin) : undefined;
  const host = request.headers.get('host') ?? new URL(request.url).host;
  const isSameHost = url?.host === host.toLowerCase();
  // A proxy may have replaced the Host that the page was called by; then it speaks TLS, on the port for that.
  const isBehindProxy = url?.protocol === 'https:' && url.port === '' && names.has(url.hostname);
  if (url?.origin === origin && (isSameHost || isBehindProxy)) return;
  throw new Problem({
    code: 'forbidden_origin',
    message: 'the call comes from a page of another origin',
    hint: 'Call it from its own page, or without a browser.',
  });
}

function hostnameOf(host: string): string {
  return URL.canParse(`http://${host}`) ? new URL(`http://${host}`).hostname : '';
}
