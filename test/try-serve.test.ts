/** examples/try-serve.mjs: what somebody sees who tries both sides on one machine. */
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { collect, root, temporaryDirectory } from './support.js';

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
