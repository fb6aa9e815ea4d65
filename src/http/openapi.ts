/** The OpenAPI 3.1 document, made of the schemas that the routes themselves go by. */
import * as z from 'zod';
import { commonFields, listHandlers, type MoreHandlers } from '../request.js';
import { version } from '../version.js';
import {
  envelopeShape,
  handlersShape,
  healthShape,
  previewShape,
  problemShape,
  rowShape,
} from './answers.js';
import { problemStatuses } from './problem.js';

const json = 'application/json';
const problem = answer(
  `A problem (RFC 9457); its code is one of ${Object.keys(problemStatuses).join(', ')}`,
  'application/problem+json',
  ref('problem'),
);

/** What the two sides do not share. */
export interface Side {
  /** The answer of `/readyz`. */
  readiness: z.ZodType;
  /** Whether it serves the page with the wizard. */
  page?: boolean;
  handlers?: MoreHandlers | undefined;
}

/** The document of the side whose routes are below `base`. */
export function openApi(base: string, { readiness, page = false, handlers: more }: Side): object {
  const requests = Object.fromEntries(
    listHandlers(more).map((handler) => [`${handler.name}_request`, requestOf(handler)]),
  );
  const names = Object.keys(requests);
  const request = {
    required: true,
    content: { [json]: { schema: { oneOf: names.map((name) => ref(name)) } } },
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
      ...(page ? pageRoutes(base) : {}),
      '/healthz': open('healthz', 'Whether the process is up', { 200: ['It is', json, ref('health')] }),
      '/readyz': open('readyz', 'Whether it can do its work', {
        200: ['It can', json, ref('readiness')],
        503: ['It cannot, and what is missing', json, ref('readiness')],
      }),
      '/metrics': open('metrics', 'Prometheus metrics', { 200: ['Done', 'text/plain', { type: 'string' }] }),
      '/openapi.json': open('openapi', 'This document', { 200: ['Done', json, { type: 'object' }] }),
    },
    components: {
      securitySchemes: { operator: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
      schemas: {
        ...requests,
        handlers: schemaOf(handlersShape),
        preview: schemaOf(previewShape),
        envelope: schemaOf(envelopeShape),
        row: schemaOf(rowShape),
        health: schemaOf(healthShape),
        readiness: schemaOf(readiness),
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
  return { 200: answer('Done', json, ref(schema)), default: problem };
}

function answer(description: string, type: string, schema: object): object {
  return { description, content: { [type]: { schema } } };
}

/** A route without a token: its answers by status, and the problem that a foreign Host gets. */
function open(
  operationId: string,
  summary: string,
  told: Readonly<Record<number, [description: string, type: string, schema: object]>>,
  more: object = {},
): object {
  const responses = Object.entries(told).map(([status, words]) => [status, answer(...words)]);
  return {
    get: {
      operationId,
      summary,
      security: [],
      ...more,
      responses: { ...Object.fromEntries(responses), default: problem },
    },
  };
}

/** The page, with or without the slash, and its files. */
function pageRoutes(base: string): object {
  const page = (operationId: string) =>
    open(operationId, 'The page with the wizard', { 200: ['Done', 'text/html', { type: 'string' }] });
  const parameters = [{ name: 'name', in: 'path', required: true, schema: { type: 'string' } }];
  return {
    [base]: page('page'),
    [`${base}/`]: page('page_with_slash'),
    [`${base}/assets/{name}`]: open(
      'asset',
      'A file that the page names',
      { 200: ['Done', '*/*', { type: 'string' }] },
      { parameters },
    ),
  };
}

function ref(name: string): object {
  return { $ref: `#/components/schemas/${name}` };
}
