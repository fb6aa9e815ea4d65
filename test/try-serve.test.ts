/** examples/try-serve.mjs: what somebody sees who tries both sides on one machine. */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { blocks } from './documents/blocks.js';
import { collect, root, temporaryDirectory, until } from './support.js';

it('shows a refusal, the step-up challenge, a preview, a mint and its row, and leaves nothing', async () => {
  const directory = temporaryDirectory();
  const env = { ...process.env, TMPDIR: directory, HOME: directory };
  const example = spawn(process.execPath, [join(root, 'examples', 'try-serve.mjs')], {
    env,
    timeout: 150_000,
  });
  const { code, stdout, stderr } = await collect(example);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const steps = stdout.split(/^# /m).slice(1);
  expect(steps.map((step) => /^\d{3}.*$/m.exec(step)?.[0])).toEqual([
    '401 Bearer',
    expect.stringMatching(/^403 Bearer error="insufficient_scope"/),
    expect.stringMatching(/^401 Bearer error="insufficient_user_authentication".* max_age="180"/),
    '200',
    '200',
    '200',
  ]);
  const [, , , preview, mint, row] = steps.map((step) => JSON.parse(step.slice(step.indexOf('{'))));
  expect(mint.audit_run_id).toBe(preview.run_id);
  expect(row).toMatchObject({ run_id: preview.run_id, status: 'SUCCEEDED', actor: 'alice@example.com' });
  expect(row.argv).toEqual(preview.argv);
  expect(readdirSync(directory)).toEqual([]);
});

const hasCurl = ['/usr/bin/curl', '/opt/homebrew/bin/curl'].some(existsSync) || process.env.CI === 'true';

it.skipIf(!hasCurl)('stays for the calls of the README: the challenge, a preview, a mint', async () => {
  const directory = temporaryDirectory();
  const env = { ...process.env, TMPDIR: directory, HOME: directory };
  const staying = spawn(process.execPath, [join(root, 'examples', 'try-serve.mjs'), '--stay'], {
    env,
    timeout: 50_000,
  });
  const ended = collect(staying);
  let printed = '';
  staying.stdout.on('data', (chunk) => {
    printed += chunk;
  });
  await until(() => printed.includes('Ctrl-C ends it'));
  const calls = blocks.filter(({ words }) => words.includes('try-serve')).map(({ text }) => text);
  expect(calls).toHaveLength(1);
  const lines = printed.split('\n').filter((line) => /^export /.test(line));
  const shell = spawn('/bin/bash', ['-e', '-c', [...lines, ...calls].join('\n')], {
    env: { ...env, no_proxy: '*' },
  });
  const { code, stdout, stderr } = await collect(shell);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout.match(/^HTTP\S+ \d+/gm)?.map((line) => line.split(' ')[1])).toEqual(['401', '200', '200']);
  expect(stdout).toMatch(
    /^www-authenticate: Bearer error="insufficient_user_authentication",.* max_age="180"/im,
  );
  const [, preview, envelope] = stdout.match(/^\{.*\}$/gm)!.map((line) => JSON.parse(line));
  expect(preview).toMatchObject({ run_id: expect.any(String), binary_present: true });
  expect(Object.keys(envelope)).toEqual(['credential_key', 'expires_at', 'source_identity', 'audit_run_id']);
  staying.kill('SIGINT');
  expect(await ended).toMatchObject({ code: 0, stderr: '' });
  expect(readdirSync(directory)).toEqual([]);
});
