/** What the API answers, as JSON: CONTRACT sections 3 to 5, without the types of Node that the core's own lean on. */
import type { Outcome } from '../errors.js';

export interface FieldAnswer {
  name: string;
  label: string;
  help: string;
  type: 'string' | 'integer' | 'list' | 'map';
  required: boolean;
  secret: boolean;
  default?: string | number;
}

export interface HandlerAnswer {
  provider: string;
  title: string;
  binary: string;
  binary_present: boolean;
  fields: FieldAnswer[];
}

export interface PreviewAnswer {
  provider: string;
  run_id: string;
  credential_key: string;
  source_identity: string | null;
  binary: string;
  binary_present: boolean;
  binary_path: string | null;
  argv: string[];
  command: string;
  timeout_seconds: number;
  problem?: { code: string; message: string; hint: string };
  policy?: { allowed: boolean; rule?: number };
}

/** A success as the API answers it: the detail of `cloud-cli-minted`. */
export interface EnvelopeAnswer {
  /** Where the credential is kept. */
  credential_key: string;
  /** RFC 3339 UTC. */
  expires_at: string;
  /** Role ARN, service-account email or subscription id. */
  source_identity: string;
  /** The run of the ledger that minted it. */
  audit_run_id: string;
}

export interface RunAnswer {
  run_id: string;
  status: 'PENDING' | 'SUCCEEDED' | 'FAILED';
  argv: string[];
  timeout_seconds: number;
  duration_ms: number | null;
  outcome: Outcome | null;
  live_until: string | null;
  error: { code: string; message: string } | null;
  [member: string]: unknown;
}
