/** The element as an embedder has it: from the built entry point, upgraded late, configured late, in a page of their own. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { build } from 'esbuild';
import { describe, expect, expectTypeOf, it, onTestFinished } from 'vitest';
import type {
  EnvelopeAnswer,
  FieldAnswer,
  HandlerAnswer,
  PreviewAnswer,
  RunAnswer,
} from '../../src/browser/answers.js';
import { codes } from '../../src/browser/wizard/codes.js';
import { readValue } from '../../src/browser/wizard/field-value.js';
import { exitCodes } from '../../src/errors.js';
import { problemStatuses } from '../../src/http/problem.js';
import type { Envelope, FieldInfo, Preview, WorkloadRun } from '../../src/index.js';
import { fieldsOf, listHandlers } from '../../src/request.js';
import { root } from '../support.js';
import { describeChromium, type Lab } from './chromium.js';
import { expectQuiet, fillAws, mint, preview } from './operator.js';

const previewOf = (body: Record<string, unknown>) => ({
  provider: 'aws',
  run_id: '01936b1e-4c00-7d3a-9c1e-2f6b8f0a4d11',
  credential_key: body.target_credential_key,
  source_identity: body.role_arn,
  binary: 'aws',
  binary_present: true,
  binary_path: '/usr/bin/aws',
  argv: ['aws'],
  command: 'aws',
  timeout_seconds: 60,
});
const { name: ourselves } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const envelope = {
  credential_key: 'idp:aws:prod',
  expires_at: '2126-11-23T15:04:05.000Z',
  source_identity: 'arn:aws:iam::123456789012:role/deploy',
  audit_run_id: '01936b1e-4c00-7d3a-9c1e-2f6b8f0a4d11',
};
const handlers = listHandlers().map((handler) => ({
  provider: handler.name,
  title: handler.title,
  binary: handler.binary,
  binary_present: true,
  fields: fieldsOf(handler),
}));

/** An embedder's page below a strict policy; `html` is its body. */
async function startEmbedder(html: string) {
  const { outputFiles } = await build({
    // As an embedder writes it: the import is there for what it does, and must not be dropped.
    stdin: { contents: `import '${ourselves}/browser';`, resolveDir: root },
    bundle: true,
    format: 'esm',
    write: false,
  });
  const calls: { path: string; authorization: string | undefined }[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const path = request.url!;
    const json = (body: unknown) =>
      response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
    if (path === '/') {
      return response
        .setHeader('content-type', 'text/html')
        .setHeader(
          'content-security-policy',
          "default-src 'none'; script-src 'self'; connect-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'",
        )
        .end(`<!doctype html><html lang="en"><title>Embedder</title>${html}`);
    }
    if (path === '/element.js')
      return response.setHeader('content-type', 'text/javascript').end(outputFiles[0]!.contents);
    if (path === '/late.js')
      return response
        .setHeader('content-type', 'text/javascript')
        .end("addEventListener('late', () => import('/element.js'));");
    if (!path.startsWith('/api/')) return response.writeHead(404).end();
    calls.push({ path, authorization: request.headers.authorization });
    if (path.endsWith('/handlers')) return json(handlers);
    const body = JSON.parse(Buffer.concat(chunks).toString());
    return json(path.endsWith('/preview') ? previewOf(body) : envelope);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, calls };
}

async function open(lab: Lab, html: string) {
  const site = await startEmbedder(html);
  const operator = await lab.open();
  await operator.page.goto(site.url);
  return { ...operator, calls: site.calls };
}

const first = 'What do you want to mint?';

describeChromium('the element', (lab) => {
  it('works from markup alone, with the window as its fetch, and tells of what it minted', async () => {
    const operator = await open(
      lab,
      '<script type="module" src="/element.js"></script><cloud-cli-credential-wizard base="/api/"></cloud-cli-credential-wizard>',
    );
    const { page, calls } = operator;
    await page.getByRole('heading', { name: first }).waitFor();
    await page.evaluate(() => {
      document.addEventListener('cloud-cli-minted', (event) => {
        document.title = JSON.stringify((event as CustomEvent).detail);
      });
    });
    await fillAws(operator);
    await preview(operator);
    await mint(operator);
    await page.getByRole('heading', { name: 'Minted' }).waitFor();
    expect(JSON.parse(await page.title())).toEqual(envelope);
    expect(calls).toEqual(
      ['handlers', 'preview', 'sts'].map((name) => ({ path: `/api/${name}`, authorization: undefined })),
    );
    expectQuiet(operator);
  });

  it('takes what was set on it before it was upgraded', async () => {
    const operator = await open(
      lab,
      '<script type="module" src="/late.js"></script><cloud-cli-credential-wizard></cloud-cli-credential-wizard>',
    );
    const { page, calls } = operator;
    await page.evaluate(() => {
      const element = document.querySelector('cloud-cli-credential-wizard')!;
      Object.assign(element, {
        base: '/api',
        fetch: (input: string, init: RequestInit) =>
          window.fetch(input, { ...init, headers: { authorization: 'Bearer early' } }),
      });
      dispatchEvent(new Event('late'));
    });
    await page.getByRole('heading', { name: first }).waitFor();
    expect(calls).toEqual([{ path: '/api/handlers', authorization: 'Bearer early' }]);
    expect(await page.locator('cloud-cli-credential-wizard').getAttribute('base')).toBe('/api');
    expectQuiet(operator);
  });

  it('waits for a base, starts over with another, and keeps what is typed when its fetch changes', async () => {
    const operator = await open(
      lab,
      '<script type="module" src="/element.js"></script><cloud-cli-credential-wizard></cloud-cli-credential-wizard>',
    );
    const { page, calls } = operator;
    await page.evaluate(() => customElements.whenDefined('cloud-cli-credential-wizard').then(() => {}));
    expect(calls).toEqual([]);
    await page.evaluate(() => {
      document.querySelector('cloud-cli-credential-wizard')!.base = '/api/v1';
    });
    await fillAws(operator);
    await page.evaluate(() => {
      document.querySelector('cloud-cli-credential-wizard')!.fetch = (input, init) =>
        window.fetch(input, { ...init, headers: { ...init?.headers, authorization: 'Bearer late' } });
    });
    await preview(operator);
    expect(calls.at(-1)).toEqual({ path: '/api/v1/preview', authorization: 'Bearer late' });
    await page.evaluate(() => {
      document.querySelector('cloud-cli-credential-wizard')!.setAttribute('base', '/api/v2');
    });
    await page.getByRole('heading', { name: first }).waitFor();
    expect(calls.at(-1)).toEqual({ path: '/api/v2/handlers', authorization: 'Bearer late' });
    expectQuiet(operator);
  });

  it('asks again when a fetch comes after a first call that failed', async () => {
    const operator = await open(
      lab,
      '<script type="module" src="/element.js"></script><cloud-cli-credential-wizard base="/nowhere"></cloud-cli-credential-wizard>',
    );
    const { page } = operator;
    await page.getByRole('heading', { name: 'The answer cannot be read' }).waitFor();
    await page.evaluate(() => {
      document.querySelector('cloud-cli-credential-wizard')!.fetch = (input, init) =>
        window.fetch(String(input).replace('/nowhere', '/api'), init);
    });
    await page.getByRole('heading', { name: first }).waitFor();
    expectQuiet(operator);
  });

  it('survives being moved while it mints', async () => {
    const operator = await open(
      lab,
      '<script type="module" src="/element.js"></script><main></main><cloud-cli-credential-wizard base="/api"></cloud-cli-credential-wizard>',
    );
    const { page } = operator;
    await fillAws(operator);
    await preview(operator);
    await mint(operator);
    await page.evaluate(() => {
      document.querySelector('main')!.append(document.querySelector('cloud-cli-credential-wizard')!);
    });
    await page.getByRole('heading', { name: 'Minted' }).waitFor();
    expectQuiet(operator);
  });
});

describe('the entry point', () => {
  it('can be imported where there is no document', async () => {
    const browser = await import(new URL('../../dist/browser/index.js', import.meta.url).href);
    expect(Object.keys(browser).toSorted()).toEqual([
      'CredentialWizard',
      'StepUpRefusedError',
      'createApiFetch',
      'parseChallenges',
      'stepUpOf',
    ]);
  });
});

describe('what the wizard knows', () => {
  it('has words for every code of a mint and of HTTP', () => {
    for (const code of [...Object.keys(exitCodes), ...Object.keys(problemStatuses), 'abandoned'])
      expect([code, Object.hasOwn(codes, code)]).toEqual([code, true]);
  });

  it('takes the answers for what the core gives', () => {
    expectTypeOf<FieldInfo>().toExtend<FieldAnswer>();
    expectTypeOf<Preview>().toExtend<PreviewAnswer>();
    expectTypeOf<Envelope>().toExtend<EnvelopeAnswer>();
    expectTypeOf<WorkloadRun & Record<string, unknown>>().toExtend<RunAnswer>();
    expectTypeOf<(typeof handlers)[number]>().toExtend<HandlerAnswer>();
  });

  const field = (type: FieldAnswer['type'], required = false): FieldAnswer => ({
    name: 'a',
    label: 'A',
    help: '',
    type,
    required,
    secret: false,
  });
  it.each([
    [field('string'), '', {}],
    [field('string', true), ' ', { problem: 'is required' }],
    [field('string'), ' a ', { value: ' a ' }],
    [field('integer'), ' 900 ', { value: 900 }],
    [field('integer'), '0900', { value: '0900' }],
    [field('integer'), '1e3', { value: '1e3' }],
    [field('list'), 'a\n\n b,c \n', { value: ['a', 'b,c'] }],
    [field('map'), 'a=b=c\n d=', { value: { a: 'b=c', d: '' } }],
    [field('map'), 'a', { problem: 'must be key=value, one per line' }],
    [field('map'), 'a=1\na=2', { problem: 'must not name a key twice' }],
    [field('map'), '__proto__=1', { value: JSON.parse('{"__proto__":"1"}') }],
  ])('reads %j from %j', (asked, text, read) => {
    expect(readValue(asked, text)).toEqual(read);
    expect(JSON.stringify(readValue(asked, text))).toBe(JSON.stringify(read));
  });
});
