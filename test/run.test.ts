import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { inProcess } from '../src/run.js';
import { Secret } from '../src/secret.js';
import { clockOf, isAlive, script, until } from './support.js';

async function pidIn(directory: string, name: string): Promise<number> {
  const path = join(directory, name);
  return until(() => existsSync(path) && Number(readFileSync(path, 'utf8')));
}

describe('a vendor process', () => {
  it('gets its arguments as they are, without a shell, and secrets opened', async () => {
    const command = script('printf "%s\\n" "$@"', {
      argv: ['a b', '$(id)', "it's", '*', new Secret('hush', '--code=')],
    });
    expect(await inProcess.run(command)).toEqual({
      how: 'exited',
      exit_code: 0,
      signal: null,
      stdout: "a b\n$(id)\nit's\n*\n--code=hush\n",
      stderr: '',
    });
  });

  it('gets no other environment than the one given', async () => {
    process.env.CLOUD_CLI_TEST_LEAK = 'x';
    const ending = await inProcess.run(script('/usr/bin/env'));
    delete process.env.CLOUD_CLI_TEST_LEAK;
    expect(ending.how === 'exited' && ending.stdout).not.toContain('CLOUD_CLI_TEST_LEAK');
  });

  it('has no standard input to wait for', async () => {
    expect(await inProcess.run(script('cat; echo done'))).toMatchObject({ how: 'exited', stdout: 'done\n' });
  });

  it('is told apart by exit status and signal', async () => {
    expect(await inProcess.run(script('echo no >&2; exit 3'))).toEqual({
      how: 'exited',
      exit_code: 3,
      signal: null,
      stdout: '',
      stderr: 'no\n',
    });
    expect(await inProcess.run(script('kill -SEGV $$'))).toMatchObject({
      how: 'exited',
      exit_code: null,
      signal: 'SIGSEGV',
    });
  });

  it('that cannot be started says why', async () => {
    const gone = { ...script('true'), file: '/nonexistent/tool' };
    expect(await inProcess.run(gone)).toEqual({ how: 'not_started', errno: 'ENOENT' });
    const plain = script('true');
    chmodSync(plain.file, 0o644);
    expect(await inProcess.run(plain)).toEqual({ how: 'not_started', errno: 'EACCES' });
    const interpreter = script('true');
    writeFileSync(interpreter.file, '#!/nonexistent/interpreter\n');
    expect(await inProcess.run(interpreter)).toEqual({ how: 'not_started', errno: 'ENOENT' });
  });

  it('is ended with its whole group when its clock runs out, a grandchild that ignores SIGTERM too', async () => {
    const command = script(
      '(trap "" TERM; echo $$ >"$DIRECTORY/x"; sh -c \'trap "" TERM; echo $$ >"$DIRECTORY/grandchild"; while :; do sleep 1; done\') & sleep 100',
      { timeout_seconds: 59 },
    );
    const clock = clockOf(59);
    const ending = inProcess.run(command);
    const grandchild = await pidIn(command.directory, 'grandchild');
    await clock.runOut();
    expect(await ending).toEqual({ how: 'timeout', stderr: '' });
    expect(isAlive(grandchild)).toBe(false);
  });

  it('is ended by its clock', async () => {
    expect(await inProcess.run(script('exec sleep 100', { timeout_seconds: 1 }))).toEqual({
      how: 'timeout',
      stderr: '',
    });
  });

  it('that ends on SIGTERM is not waited for any longer', async () => {
    const stubborn = script('trap "" TERM; echo $$ >"$DIRECTORY/pid"; while :; do sleep 1; done', {
      timeout_seconds: 58,
    });
    const docile = script('echo $$ >"$DIRECTORY/pid"; exec sleep 100', { timeout_seconds: 59 });
    const clocks = [clockOf(58), clockOf(59)];
    const ended: string[] = [];
    const runs = Object.entries({ stubborn, docile }).map(async ([name, command]) => {
      await inProcess.run(command);
      ended.push(name);
    });
    for (const { directory } of [stubborn, docile]) await pidIn(directory, 'pid');
    for (const clock of clocks) await clock.runOut();
    await Promise.all(runs);
    expect(ended).toEqual(['docile', 'stubborn']);
  });

  it('has answered when it exits, though a grandchild holds its pipes', async () => {
    const command = script('echo answer; sleep 100 & echo $! >"$DIRECTORY/grandchild"', {
      timeout_seconds: 15,
    });
    expect(await inProcess.run(command)).toMatchObject({ how: 'exited', exit_code: 0, stdout: 'answer\n' });
    const grandchild = await pidIn(command.directory, 'grandchild');
    await until(() => !isAlive(grandchild));
  });

  it('is ended when its caller gives up', async () => {
    const abort = new AbortController();
    const command = script('echo before >&2; echo $$ >"$DIRECTORY/pid"; exec sleep 100', {
      signal: abort.signal,
    });
    const ending = inProcess.run(command);
    const pid = await pidIn(command.directory, 'pid');
    abort.abort();
    expect(await ending).toEqual({ how: 'cancelled', stderr: 'before\n' });
    expect(isAlive(pid)).toBe(false);
  });

  it('is heard to its last word, though its host stood still and its caller gave up then', async () => {
    const abort = new AbortController();
    const command = script(
      'echo $$ >"$DIRECTORY/pid"; until [ -e "$DIRECTORY/go" ]; do sleep 0.05; done; echo last >&2',
      { signal: abort.signal },
    );
    const ending = inProcess.run(command);
    const pid = await pidIn(command.directory, 'pid');
    writeFileSync(join(command.directory, 'go'), '');
    while (isAlive(pid)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    abort.abort();
    expect(await ending).toEqual({ how: 'cancelled', stderr: 'last\n' });
  });

  it('is not started for a caller that gave up before', async () => {
    const command = script('touch "$DIRECTORY/started"', { signal: AbortSignal.abort() });
    expect(await inProcess.run(command)).toEqual({ how: 'cancelled', stderr: '' });
    expect(existsSync(join(command.directory, 'started'))).toBe(false);
  });

  it.each(['stdout', 'stderr'])(
    'that writes to %s without end is stopped, and little of it is kept',
    async (stream) => {
      const ending = await inProcess.run(
        script(`yes ${stream === 'stderr' ? '>&2' : ''}`, { timeout_seconds: 60 }),
      );
      expect(ending.how).toBe('flooded');
      expect(ending.how === 'flooded' && ending.stderr.length).toBeLessThanOrEqual(1024 * 1024);
    },
  );

  it('is decoded whole: no character is cut where two chunks meet', async () => {
    const command = script(
      'i=0; while [ $i -lt 40 ]; do printf "\\303"; sleep 0.01; printf "\\244"; i=$((i+1)); done',
    );
    expect(await inProcess.run(command)).toMatchObject({ stdout: 'ä'.repeat(40) });
  });

  it('does not outlive a host that exits in the middle', async () => {
    const { spawn } = await import('node:child_process');
    const command = script('echo $$ >"$DIRECTORY/pid"; exec sleep 100');
    const code = `import { inProcess } from ${JSON.stringify(new URL('../dist/run.js', import.meta.url).href)};
      inProcess.run(${JSON.stringify({ ...command, directory: undefined })});
      process.once('message', () => process.exit(0));`;
    const host = spawn(process.execPath, ['--input-type=module', '-e', code], {
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    const pid = await pidIn(command.directory, 'pid');
    expect(isAlive(pid)).toBe(true);
    const ended = new Promise((resolve) => host.once('exit', resolve));
    host.send('exit');
    expect(await ended).toBe(0);
    await until(() => !isAlive(pid));
  });

  it('says nothing of its own on NODE_DEBUG=execa', async () => {
    const { spawn } = await import('node:child_process');
    const { collect } = await import('./support.js');
    const command = script('echo canary-value');
    const code = `import { inProcess } from ${JSON.stringify(new URL('../dist/run.js', import.meta.url).href)};
      await inProcess.run(${JSON.stringify({ ...command, directory: undefined })});`;
    const host = spawn(process.execPath, ['--input-type=module', '-e', code], {
      env: { ...process.env, NODE_DEBUG: 'execa' },
    });
    expect(await collect(host)).toMatchObject({ stdout: '', stderr: '' });
  });
});
