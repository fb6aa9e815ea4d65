/** What a scrape is told; no label names an identity, a key or an actor. */
import type { CredentialMetadata } from '../credential.js';
import type { Answer } from './answer.js';
import { expose, Gauge, Histogram, type Metric } from './exposition.js';

/** Seconds: a preview takes milliseconds, a vendor CLI up to 60 seconds. */
const buckets = [0.005, 0.025, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 100];

export interface RequestMetrics {
  observe(call: { method: string; route: string; status: number; seconds: number }): void;
  /** The answer to a scrape. */
  scrape(): Promise<Answer>;
}

/** @param more what a side counts besides requests */
export function createRequestMetrics(more: readonly Metric[] = []): RequestMetrics {
  const requests = new Histogram(
    'cloud_cli_http_request_duration_seconds',
    'Time from a request to its answer; status 499 is a client that went away.',
    buckets,
  );
  return {
    observe: ({ method, route, status, seconds }) =>
      requests.observe(
        { method: methods.has(method) ? method : 'other', route, status: String(status) },
        seconds,
      ),
    scrape: () => expose([requests, ...more]),
  };
}

/** Any text can stand for a method, and each would be a series of its own. */
const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

export interface MintMetrics {
  /** `code` is `succeeded` or that of the failure; a provider that does not exist counts as `unknown`. */
  minted(provider: string, code: string, seconds: number): void;
  all: readonly Metric[];
}

export interface MintFacts {
  in_flight: () => number;
  /** Number of events in the ledger's chain. */
  head: () => Promise<number>;
  /** What the store holds; absent where it cannot tell. */
  credentials?: (() => Promise<CredentialMetadata[]>) | undefined;
}

/** What the controller counts. */
export function createMintMetrics({ in_flight, head, credentials }: MintFacts): MintMetrics {
  const mints = new Histogram(
    'cloud_cli_mint_duration_seconds',
    'Time of a mint, by what became of it.',
    buckets,
  );
  return {
    minted: (provider, code, seconds) => mints.observe({ provider, code }, seconds),
    all: [
      mints,
      new Gauge('cloud_cli_mints_in_flight', 'Mints that have not ended.', async () => [
        { value: in_flight() },
      ]),
      new Gauge('cloud_cli_ledger_head', "Number of events in the ledger's chain.", async () => [
        { value: await head() },
      ]),
      ...(credentials ? [leases(credentials)] : []),
    ],
  };
}

/** Minutes within which a stored credential may expire. */
const horizons = [0, 5, 15, 60, 240, 720];

function leases(credentials: () => Promise<CredentialMetadata[]>): Gauge {
  return new Gauge(
    'cloud_cli_leases',
    'Stored credentials by the minutes to their expiry, cumulative; 0 counts the expired ones.',
    async () => {
      const now = Date.now();
      const left = (await credentials()).map(({ expires_at }) => (Date.parse(expires_at) - now) / 60_000);
      const within = horizons.map((horizon) => ({
        labels: { within_minutes: String(horizon) },
        value: left.filter((minutes) => minutes <= horizon).length,
      }));
      return [...within, { labels: { within_minutes: '+Inf' }, value: left.length }];
    },
  );
}
