/** The spawn helper keeps every promise of the spawner in this process. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  collect,
  fixturePath,
  isAlive,
  requests,
  root,
  script,
  temporaryDirectory,
  until,
} from './support.js';

// The helper's process is JavaScript: the built one.
const built = new URL('../dist/library/index.js', import.meta.url).href;
const {
  mint,
  openAuditStore,
  openCredentialStore,
  openSpawnHelper,
  Secret,
}: typeof import('../src/index.js') = await import(built);

async function helper() {
  const opened = await openSpawnHelper();
  onTestFinished(() => opened.close());
  return opened;
}

const pidIn = (directory: string) =>
  until(() => existsSync(join(directory, 'pid')) && Number(readFileSync(join(directory, 'pid'), 'utf8')));
const parentOf = (pid: number) =>
  Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')[1]);

describe('the spawn helper', () => {
  it('answers as the spawner in this process does, secrets opened, many at a time', async () => {
    const { run } = await helper();
    const endings = await Promise.all([
      run(script('echo "$1"; echo no >&2; exit 3', { argv: [new Secret('hush', '--code=')] })),
      run(script('kill -SEGV $$')),
      run({ ...script('true'), file: '/nonexistent/tool' }),
      run(script('yes')),
      run(script('sleep 100', { timeout_seconds: 1 })),
    ]);
    expect(endings).toMatchObject([
      { how: 'exited', exit_code: 3, stdout: '--code=hush\n', stderr: 'no\n' },
      { how: 'exited', exit_code: null, signal: 'SIGSEGV' },
      { how: 'not_started', errno: 'ENOENT' },
      { how: 'flooded' },
      { how: 'timeout' },
    ]);
  });

  it('spawns from a process of its own', async () => {
    const { run } = await helper();
    const command = script('echo $$ >"$DIRECTORY/pid"; until [ -e "$DIRECTORY/seen" ]; do sleep 0.1; done');
    const ending = run(command);
    const pid = await pidIn(command.directory);
    expect([process.pid, 1]).not.toContain(parentOf(pid));
    writeFileSync(join(command.directory, 'seen'), '');
    expect(await ending).toMatchObject({ how: 'exited', exit_code: 0 });
  });

  it('closes in a program that waits for nothing else', async () => {
    const code =
      "const { openSpawnHelper } = await import('@alphaswarm/cloud-cli'); await (await openSpawnHelper()).close(); console.log('closed');";
    const child = spawn(process.execPath, ['--input-type=module', '-e', code], { cwd: root });
    child.stdin.end();
    expect(await collect(child)).toMatchObject({ code: 0, stdout: 'closed\n' });
  });

  it('ends a process whose caller gives up', async () => {
    const { run } = await helper();
    const abort = new AbortController();
    const command = script('echo $$ >"$DIRECTORY/pid"; exec sleep 100', { signal: abort.signal });
    const ending = run(command);
    const pid = await pidIn(command.directory);
    abort.abort();
    expect(await ending).toMatchObject({ how: 'cancelled' });
    expect(isAlive(pid)).toBe(false);
  });

  it.each(['SIGTERM', 'SIGKILL'])(
    'that dies by %s takes its processes along, and is not missed',
    async (signal) => {
      const { run } = await helper();
      const command = script('echo $$ >"$DIRECTORY/pid"; exec sleep 100');
      const ending = run({
        ...command,
        env: { ...command.env, CLOUD_CLI_RUN_ID: `run-${signal}-${process.pid}` },
      });
      const pid = await pidIn(command.directory);
      process.kill(parentOf(pid), signal);
      expect(await ending).toMatchObject({ how: 'exited', exit_code: null });
      await until(() => !isAlive(pid));
      expect(await run(script('echo here'))).toMatchObject({ how: 'exited', stdout: 'here\n' });
    },
  );

  it('goes with its host, and takes its processes along', async () => {
    const command = script('echo $$ >"$DIRECTORY/pid"; exec sleep 100');
    const code = `import { openSpawnHelper } from ${JSON.stringify(built)};
      await (await openSpawnHelper()).run(${JSON.stringify({ ...command, directory: undefined })});`;
    const host = spawn(process.execPath, ['--input-type=module', '-e', code]);
    const pid = await pidIn(command.directory);
    const helperPid = parentOf(pid);
    host.kill('SIGKILL');
    await collect(host);
    await until(() => !isAlive(pid) && !isAlive(helperPid));
  });

  it('keeps no host alive that has nothing left to do', async () => {
    const code = `import { openSpawnHelper } from ${JSON.stringify(built)};
      const helper = await openSpawnHelper();
      console.log((await helper.run(${JSON.stringify({ ...script('echo answered'), directory: undefined })})).stdout);`;
    expect(await collect(spawn(process.execPath, ['--input-type=module', '-e', code]))).toMatchObject({
      code: 0,
      stdout: 'answered\n\n',
    });
  });

  it('mints', async () => {
    const home = temporaryDirectory();
    const audit = await openAuditStore(`sqlite:${join(home, 'audit.sqlite')}`);
    const { persist } = await openCredentialStore(`file:${join(home, 'credentials')}`);
    const spawner = await helper();
    const options = { audit, persist, spawner, env: { PATH: fixturePath, HOME: home } };
    expect(await mint(requests.aws(), options)).toMatchObject({ credential_key: 'idp:aws:prod' });
    await expect(mint({ ...requests.gcp('hanging'), timeout_seconds: 1 }, options)).rejects.toMatchObject({
      code: 'timeout',
    });
    await audit.close();
  });
});
