/** Prometheus metrics; no label names an identity, a key or an actor. */
import { Gauge, Histogram, Registry } from 'prom-client';
import type { CredentialMetadata } from '../credential.js';

/** Seconds: a preview takes milliseconds, a vendor CLI up to 60 seconds. */
const buckets = [0.005, 0.025, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 100];

export interface RequestMetrics {
  observe(call: { method: string; route: string; status: number; seconds: number }): void;
  /** The answer to a scrape. */
  scrape(): Promise<Response>;
}

export function createRequestMetrics(registry = new Registry()): RequestMetrics {
  const requests = new Histogram({
    name: 'cloud_cli_http_request_duration_seconds',
    help: 'Time from a request to its answer; status 499 is a client that went away.',
    labelNames: ['method', 'route', 'status'],
    buckets,
    registers: [registry],
  });
  return {
    observe: ({ method, route, status, seconds }) =>
      requests.observe({ method: methods.includes(method) ? method : 'other', route, status }, seconds),
    scrape: async () =>
      new Response(await registry.metrics(), { headers: { 'Content-Type': registry.contentType } }),
  };
}

/** Any text can stand for a method, and each would be a series of its own. */
const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/** What the controller counts besides requests. */
export interface MintMetrics {
  /** `code` is `succeeded` or that of the failure; a provider that does not exist counts as `unknown`. */
  minted(provider: string, code: string, seconds: number): void;
}

export interface MintFacts {
  in_flight: () => number;
  /** Number of events in the ledger's chain. */
  head: () => Promise<number>;
  /** What the store holds; absent where it cannot tell. */
  credentials?: (() => Promise<CredentialMetadata[]>) | undefined;
}

export function createMintMetrics(registry: Registry, facts: MintFacts): MintMetrics {
  const mints = new Histogram({
    name: 'cloud_cli_mint_duration_seconds',
    help: 'Time of a mint, by what became of it.',
    labelNames: ['provider', 'code'],
    buckets,
    registers: [registry],
  });
  gauge(registry, 'cloud_cli_mints_in_flight', 'Mints that have not ended.', async (set) =>
    set(facts.in_flight()),
  );
  gauge(registry, 'cloud_cli_ledger_head', "Number of events in the ledger's chain.", async (set) =>
    set(await facts.head()),
  );
  if (facts.credentials) leasesGauge(registry, facts.credentials);
  return { minted: (provider, code, seconds) => mints.observe({ provider, code }, seconds) };
}

/** Minutes within which a stored credential may expire. */
const horizons = [0, 5, 15, 60, 240, 720];

function leasesGauge(registry: Registry, credentials: () => Promise<CredentialMetadata[]>): void {
  const labels = ['within_minutes'];
  gauge(
    registry,
    'cloud_cli_leases',
    'Stored credentials by the time to their expiry, cumulative; 0 counts the expired ones.',
    async (set) => {
      const left = (await credentials()).map(
        ({ expires_at }) => (Date.parse(expires_at) - Date.now()) / 60_000,
      );
      for (const horizon of horizons)
        set(left.filter((minutes) => minutes <= horizon).length, { within_minutes: String(horizon) });
      set(left.length, { within_minutes: '+Inf' });
    },
    labels,
  );
}

/** A gauge that is read at each scrape; one that cannot be read is left out, and the scrape goes on. */
function gauge(
  registry: Registry,
  name: string,
  help: string,
  read: (set: (value: number, labels?: Record<string, string>) => void) => Promise<void>,
  labelNames: string[] = [],
): void {
  new Gauge({
    name,
    help,
    labelNames,
    registers: [registry],
    async collect() {
      this.reset();
      try {
        await read((value, labels = {}) => this.set(labels, value));
      } catch {
        this.remove();
      }
    },
  });
}
