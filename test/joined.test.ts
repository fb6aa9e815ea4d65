/** A clock that is joined with another signal comes, whatever the garbage collector does meanwhile. */
import { spawn } from 'node:child_process';
import { expect, it } from 'vitest';
import { collect, root } from './support.js';

it('aborts by a clock that nobody else holds', async () => {
  const code = `
    import { joined } from './dist/joined.js';
    const wait = (signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve(signal.reason.name)));
    const work = async (signal) => Promise.race([wait(signal), new Promise(() => {})]);
    const aborted = work(joined(new AbortController().signal, AbortSignal.timeout(300)));
    for (let round = 0; round < 20; round += 1) {
      gc();
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    console.log(await Promise.race([aborted, new Promise((resolve) => setTimeout(resolve, 5000, 'never'))]));
    process.exit();`;
  const child = spawn(process.execPath, ['--expose-gc', '--input-type=module', '-e', code], { cwd: root });
  child.stdin.end();
  expect(await collect(child)).toMatchObject({ code: 0, stdout: 'TimeoutError\n', stderr: '' });
});
