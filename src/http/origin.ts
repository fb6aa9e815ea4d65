/** Where a call is sent and where it comes from: a page that rebinds its name to this host is not answered. */
import { Problem } from './problem.js';

const loopback = ['localhost', '127.0.0.1', '[::1]'];

/**
 * Lets calls pass that name this host.
 * @param hosts the names it has besides those of loopback, without ports
 * @throws Problem `misdirected_request`
 */
export function requireOwnHost(request: Request, hosts: readonly string[]): void {
  // A request line may hold a whole URL (RFC 9112 section 3.2.2), beside a Host header that says something else.
  const named = [new URL(request.url).host, request.headers.get('host')].filter((host) => host !== null);
  const own = [...loopback, ...hosts.map((host) => hostnameOf(host))];
  if (named.every((host) => own.includes(hostnameOf(host)))) return;
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
export function requireOwnOrigin(request: Request, hosts: readonly string[]): void {
  const origin = request.headers.get('origin');
  if (origin === null) return;
  const url = URL.canParse(origin) ? new URL(origin) : undefined;
  const host = request.headers.get('host') ?? new URL(request.url).host;
  // A proxy may have replaced the Host that the page was called by; then its name is among `hosts`.
  if (url && (url.host === host.toLowerCase() || hosts.some((own) => hostnameOf(own) === url.hostname)))
    return;
  throw new Problem({
    code: 'forbidden_origin',
    message: 'the call comes from a page of another origin',
    hint: 'Call it from its own page, or without a browser.',
  });
}

function hostnameOf(host: string): string {
  return URL.canParse(`http://${host}`) ? new URL(`http://${host}`).hostname : '';
}
