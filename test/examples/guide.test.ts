/** The way through docs/embedding.md that its reader goes, command by command; only what npm does is done for it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { collect, freePort, root, temporaryDirectory, until } from '../support.js';

const text = readFileSync(join(root, 'docs', 'embedding.md'), 'utf8');
const express = text.slice(text.indexOf('## Express'), text.indexOf('## Fastify'));
const [install, copy, issuer, server, ownRoute, mounted, command, ...others] = [
  ...express.matchAll(/^```sh\n(.*?)^```$/gms),
].map(([, block]) => block!);

it('leads from an empty directory to two mints, with no step missing', async () => {
  const directory = temporaryDirectory();
  const [, packages = ''] = /^npm install (.+)$/m.exec(install!) ?? [];
  for (const name of packages.split(' ')) {
    const link = join(directory, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(name === '@alphaswarm/cloud-cli' ? root : join(root, 'node_modules', name), link);
  }
  mkdirSync(join(directory, 'node_modules', '.bin'));
  symlinkSync(join(root, 'bin', 'cloud-cli.js'), join(directory, 'node_modules', '.bin', 'cloud-cli'));
  writeFileSync(join(directory, 'package.json'), '{}');

  const port = await freePort();
  // npx is to find what is installed here, and to ask nobody.
  const npm = { npm_config_offline: 'true', npm_config_update_notifier: 'false' };
  const env = { PATH: `${dirname(process.execPath)}:/usr/bin:/bin`, HOME: directory, ...npm };
  const start = (block: string, more: NodeJS.ProcessEnv = {}): ChildProcess => {
    const script = block.replaceAll('127.0.0.1:3000', `127.0.0.1:${port}`);
    return spawn('/bin/bash', ['-ec', script], { cwd: directory, env: { ...env, ...more }, detached: true });
  };
  const run = async (block: string): Promise<string> => {
    const { code, stdout, stderr } = await collect(start(block));
    expect([code, stderr]).toEqual([0, '']);
    return stdout;
  };
  const keep = (block: string, more: NodeJS.ProcessEnv): { said(): string } => {
    const child = start(block, more);
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk) => {
        said += chunk;
      });
    // Its whole group: the shell is not what serves.
    onTestFinished(() => void process.kill(-child.pid!, 'SIGKILL'));
    return { said: () => said };
  };

  expect(others).toEqual([]);
  await run(copy!);
  keep(issuer!, { PORT: String(await freePort()) });
  await until(() => {
    const settings = join(directory, 'issuer.env');
    return existsSync(settings) && readFileSync(settings, 'utf8').includes('TOKEN_URL=');
  });
  const serving = keep(server!, { PORT: String(port) });
  await until(() => serving.said().includes('listening on'));

  const members = ['audit_run_id', 'credential_key', 'expires_at', 'source_identity'];
  expect(Object.keys(JSON.parse(await run(ownRoute!))).toSorted()).toEqual(members);
  expect(Object.keys(JSON.parse(await run(mounted!))).toSorted()).toEqual(members);
  const shown = await run(command!);
  expect(shown.match(/SUCCEEDED .*alice@example\.com/g)).toHaveLength(2);
  expect(shown).toMatch(/^ASIA\w{16} until 20/m);
});
