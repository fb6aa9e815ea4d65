/** The shapes of the answers: what the OpenAPI document shows, and what the admin side rebuilds an answer by. */
import * as z from 'zod';
import type { WorkloadRun } from '../audit/ledger.js';
import type { Envelope } from '../credential.js';
import { exitCodes } from '../errors.js';
import type { Preview } from '../preview.js';
import type { HandlerInfo } from '../providers.js';
import { type ProblemCode, type ProblemMembers, problemStatuses } from './problem.js';

const time = z.string().meta({ format: 'date-time' });
const text = z.string();
const runId = z.string().meta({ format: 'uuid' });

export const envelopeShape = z.object({
  credential_key: text,
  expires_at: time,
  source_identity: text.describe('Role ARN, service-account email or subscription id.'),
  audit_run_id: runId,
}) satisfies z.ZodType<Envelope>;

export const previewShape = z.object({
  provider: text,
  run_id: runId,
  credential_key: text,
  source_identity: text.nullable(),
  binary: text,
  binary_present: z.boolean(),
  binary_path: text.nullable(),
  argv: z.array(text).describe('Masked; what a mint with this run_id would spawn.'),
  command: text.describe('argv quoted for a POSIX shell.'),
  timeout_seconds: z.number(),
  problem: z.object({ code: z.literal('binary_missing'), message: text, hint: text }).exactOptional(),
  policy: z.object({ allowed: z.boolean(), rule: z.int().exactOptional() }).exactOptional(),
}) satisfies z.ZodType<Preview>;

export const handlersShape = z.array(
  z.object({
    provider: text,
    title: text,
    binary: text,
    binary_present: z.boolean(),
    fields: z.array(
      z.object({
        name: text,
        label: text,
        help: text,
        type: z.enum(['string', 'integer', 'list', 'map']),
        required: z.boolean(),
        secret: z.boolean(),
        default: z.union([text, z.number()]).exactOptional(),
      }),
    ),
  }),
) satisfies z.ZodType<HandlerInfo[]>;

const outcome = z.enum(['not_issued', 'unknown', 'issued']).describe('What the cloud may have live.');
const codesInLedger = [...Object.keys(exitCodes), 'abandoned'] as [keyof typeof exitCodes | 'abandoned'];

export const rowShape = z.object({
  run_id: runId,
  action: z.literal('mint_cloud_credential'),
  status: z.enum(['PENDING', 'SUCCEEDED', 'FAILED']),
  provider: text,
  credential_key: text,
  source_identity: text.nullable(),
  actor: text,
  host: text,
  reason: text.nullable(),
  argv: z.array(text).describe('Masked.'),
  binary_path: text.nullable(),
  binary_provenance: z
    .object({
      real_path: text,
      owner: z.number().describe('User id.'),
      mode: text.describe('Octal.'),
      sha256: text.nullable(),
    })
    .nullable()
    .describe('The file that was about to be run, with links followed.'),
  timeout_seconds: z.number(),
  created_at: time,
  finished_at: time.nullable(),
  duration_ms: z.number().nullable(),
  expires_at: time.nullable(),
  outcome: outcome.nullable(),
  live_until: time.nullable(),
  error: z.object({ code: z.enum(codesInLedger), message: text }).nullable(),
  session_name: text.nullable(),
  access_key_id: text.nullable(),
  fingerprints: z.record(text, text).describe('SHA-256 of each secret part.'),
  request_digest: text,
  traceparent: text.nullable(),
  lease: z
    .object({
      host: text,
      boot_id: text,
      pid_namespace: text,
      pid: z.number(),
      start_time: text,
      deadline: time,
    })
    .nullable(),
}) satisfies z.ZodType<WorkloadRun>;

export const healthShape = z.object({ status: z.literal('ok') });

const readiness = { status: z.enum(['ok', 'not_ready']), jwks: z.boolean().describe('The keys are loaded.') };

export const controllerReadinessShape = z.object({
  ...readiness,
  ledger: z.boolean().describe('It can be written.'),
  binaries: z.record(text, z.boolean()).describe('Whether each vendor CLI is there; it does not count.'),
});

export const adminReadinessShape = z.object({
  ...readiness,
  controller: z.boolean().describe('It is reachable and ready.'),
});

export const problemShape = z.object({
  code: z.enum(Object.keys(problemStatuses) as [ProblemCode]),
  message: text,
  hint: text,
  audit_run_id: runId.exactOptional(),
  issues: z.array(z.object({ field: text, message: text })).exactOptional(),
  outcome: outcome.exactOptional(),
  live_until: time.exactOptional(),
}) satisfies z.ZodType<ProblemMembers>;
