/** The OpenAPI 3.1 document, made of the schemas that the routes themselves go by. */
import * as z from 'zod';
import { commonFields, listHandlers, type MoreHandlers } from '../request.js';
import { version } from '../version.js';
import { envelopeShape, handlersShape, previewShape, problemShape, rowShape } from './answers.js';
import { problemStatuses } from './problem.js';

/** The document of the side whose routes are below `base`. */
export function openApi(base: string, more?: MoreHandlers): object {
  const requests = Object.fromEntries(
    listHandlers(more).map((handler) => [`${handler.name}_request`, requestOf(handler)]),
  );
  const names = Object.keys(requests);
  const request = {
    required: true,
    content: { 'application/json': { schema: { oneOf: names.map((name) => ref(name)) } } },
  };
  const operator = [{ operator: ['admin:cluster'] }];
  return {
    openapi: '3.1.0',
    info: {
      title: 'cloud-cli',
      version,
      description: 'Mints short-lived cloud credentials. No answer holds a token.',
    },
    paths: {
      [`${base}/handlers`]: {
        get: {
          operationId: 'handlers',
          summary: 'The providers and their fields',
          security: operator,
          responses: answers('handlers'),
        },
      },
      [`${base}/preview`]: {
        post: {
          operationId: 'preview',
          summary: 'What a mint would run, masked; nothing is run',
          description: 'Needs an authentication of the last minutes (RFC 9470).',
          security: operator,
          requestBody: request,
          responses: answers('preview'),
        },
      },
      [`${base}/sts`]: {
        post: {
          operationId: 'sts',
          summary: 'Mint a credential into the store',
          description: 'Needs an authentication of the last minutes (RFC 9470).',
          security: operator,
          requestBody: request,
          responses: answers('envelope'),
        },
      },
      [`${base}/runs/{audit_run_id}`]: {
        get: {
          operationId: 'run',
          summary: 'One row of the ledger',
          security: operator,
          parameters: [
            { name: 'audit_run_id', in: 'path', required: true, schema: { type: 'string', format: 'uuid' } },
          ],
          responses: answers('row'),
        },
      },
      '/healthz': open('Whether the process is up'),
      '/readyz': open('Whether it can do its work; 503 where not'),
      '/metrics': open('Prometheus metrics'),
      '/openapi.json': open('This document'),
    },
    components: {
      securitySchemes: { operator: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
      schemas: {
        ...requests,
        handlers: schemaOf(handlersShape),
        preview: schemaOf(previewShape),
        envelope: schemaOf(envelopeShape),
        row: schemaOf(rowShape),
        problem: problemSchema(),
      },
    },
  };
}

/** RFC 9457's members and ours. */
function problemSchema(): object {
  const rfc9457 = z.object({
    type: z.literal('about:blank'),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
  });
  return schemaOf(rfc9457.extend(problemShape.shape));
}

function requestOf(handler: ReturnType<typeof listHandlers>[number]): object {
  const fields = Object.entries({ ...commonFields, ...handler.fields });
  const members = fields.map(([name, field]) => {
    const described = {
      ...schemaOf(field.schema, 'input'),
      title: field.label,
      description: field.help,
      ...(field.default === undefined ? {} : { default: field.default }),
      ...(field.secret ? { writeOnly: true } : {}),
    };
    return [name, described];
  });
  const needed = fields.filter(([, { required }]) => required).map(([name]) => name);
  return {
    type: 'object',
    properties: { provider: { type: 'string', const: handler.name }, ...Object.fromEntries(members) },
    required: ['provider', ...needed],
    additionalProperties: false,
  };
}

function schemaOf(schema: z.core.$ZodType, io: 'input' | 'output' = 'output'): object {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    target: 'draft-2020-12',
    io,
    unrepresentable: 'any',
  });
  return rest;
}

function answers(schema: string): object {
  return {
    200: { description: 'Done', content: { 'application/json': { schema: ref(schema) } } },
    default: {
      description: `A problem (RFC 9457); its code is one of ${Object.keys(problemStatuses).join(', ')}`,
      content: { 'application/problem+json': { schema: ref('problem') } },
    },
  };
}

function open(summary: string): object {
  return { get: { summary, security: [], responses: { default: { description: summary } } } };
}

function ref(name: string): object {
  return { $ref: `#/components/schemas/${name}` };
}
