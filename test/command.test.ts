/** The built command: what V8 compiled for it when it was built makes it quicker, and nothing else. */
import { spawn } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { leaks } from '../fixtures/redaction/cases.js';
import {
  cloudCli,
  collect,
  flagsOf,
  freshEnvironment,
  requests,
  root,
  temporaryDirectory,
} from './support.js';

/** The command as it is installed, elsewhere, after `harm` to each file of V8's. */
function installed(harm: (file: string) => void): string {
  const home = temporaryDirectory();
  for (const part of ['bin', 'dist', 'package.json'])
    cpSync(join(root, part), join(home, part), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(home, 'node_modules'));
  const command = join(home, 'dist', 'command');
  const caches = readdirSync(command).filter((name) => name.endsWith('.cache'));
  expect(caches.length).toBeGreaterThan(0);
  for (const name of caches) harm(join(command, name));
  return join(home, 'bin', 'cloud-cli.js');
}

function flip(file: string, at: number): void {
  const bytes = readFileSync(file);
  bytes[at]! ^= 0xff;
  writeFileSync(file, bytes);
}

const harms: Record<string, (file: string) => void> = {
  'is whole': () => {},
  'is missing': (file) => rmSync(file),
  'is empty': (file) => truncateSync(file, 0),
  'is cut off': (file) => truncateSync(file, Math.floor(readFileSync(file).length / 2)),
  'is of another version of V8': (file) => flip(file, 4),
  'was made with other flags': (file) => flip(file, 12),
  'is no such thing': (file) => writeFileSync(file, 'not of V8'),
};

describe('the command, where what V8 compiled', () => {
  it.each(Object.entries(harms))('%s, previews, mints and shows its help', async (_, harm) => {
    const bin = installed(harm);
    const env = freshEnvironment();
    const run = (...args: string[]) => {
      const child = spawn(process.execPath, [bin, ...args], { env });
      child.stdin.end();
      return collect(child);
    };
    const request = flagsOf(requests.aws());
    const previewed = await run('preview', '--json', ...request);
    expect(previewed).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(previewed.stdout)).toMatchObject({ binary: 'aws', binary_present: true });
    expect(await run('mint', '--json', ...request)).toMatchObject({ code: 0, stderr: '' });
    expect(await run('credential-process', 'idp:aws:prod')).toMatchObject({ code: 0, stderr: '' });
    expect((await run('--help')).stdout).toContain('Usage: cloud-cli');
    expect(await run('preview', '--nonsense')).toMatchObject({ code: 2, stdout: '' });
  });

  it.each(['__proto__', '../mint', 'mint.start.cjs', ''])(
    'is asked for %j, says that there is no such command',
    async (name) => {
      const child = spawn(process.execPath, [join(root, 'bin', 'cloud-cli.js'), name], {
        env: freshEnvironment(),
      });
      child.stdin.end();
      expect((await collect(child)).code).toBe(2);
    },
  );
});

describe('each of the usual commands', () => {
  const request = ['--json', ...flagsOf(requests.aws())];
  it.each([
    ['help'],
    ['handlers', '--json'],
    ['preview', ...request],
    ['mint', ...request],
    ['credential-process', 'idp:aws:prod'],
    ['exec', 'idp:aws:prod', '--', 'true'],
    ['credentials', 'list', '--json'],
    ['audit', 'list', '--json'],
  ])('finds all that it loads compiled: %s', async (...args) => {
    const env = freshEnvironment();
    await cloudCli(['mint', ...request], env);
    const code = `
      const { main, scripts } = require('./bin/load.js').load('${args[0]}');
      main(${JSON.stringify(args)}).then((status) => {
        const refused = [...scripts].filter(([, script]) => script.cachedDataRejected !== false);
        console.error(JSON.stringify([status, scripts.size > 0, refused.map(([file]) => file)]));
      }, console.error);`;
    const child = spawn(process.execPath, ['-e', code], {
      cwd: root,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    expect(JSON.parse((await collect(child)).stderr)).toEqual([0, true, []]);
  });
});

describe('the command, bundled', () => {
  it.each(leaks.filter(({ text }) => String(text).includes('│')))(
    'hides what a vendor draws into a table: $name',
    async ({ text, mustNot }) => {
      const directory = temporaryDirectory();
      writeFileSync(join(directory, 'said'), text);
      writeFileSync(join(directory, 'aws'), `#!/bin/sh\ncat ${directory}/said >&2\nexit 1\n`, {
        mode: 0o755,
      });
      const env = freshEnvironment();
      const { code, stderr } = await cloudCli(['mint', ...flagsOf(requests.aws())], {
        ...env,
        PATH: `${directory}:${env.PATH}`,
      });
      expect([code, stderr]).toEqual([5, expect.stringContaining('│')]);
      for (const secret of mustNot) expect(stderr).not.toContain(secret);
    },
  );
});
