/** Tables as a terminal and as a script gets them. */
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { main } from '../src/cli/main.js';
import { cloudCli, flagsOf, freshEnvironment, requests } from './support.js';

/** What a command prints on a terminal of so many columns; without them, into a pipe. */
async function printed(args: string[], env: NodeJS.ProcessEnv, columns?: number): Promise<string[]> {
  const stdout = Object.assign(new PassThrough(), columns === undefined ? {} : { isTTY: true, columns });
  const all = text(stdout);
  await main(args, { stdin: new PassThrough(), stdout, stderr: new PassThrough(), env });
  stdout.end();
  return (await all).trimEnd().split('\n');
}

const headings = ([first = '']: string[]) => first.split(/ +/);
const widest = (lines: string[]) => Math.max(...lines.map(({ length }) => length));

describe('cloud-cli audit list', () => {
  it('shows the code of what failed, and a dash where nothing did', async () => {
    const env = freshEnvironment({ CLOUD_CLI_ACTOR: 'alice@example.com' });
    await cloudCli(['mint', ...flagsOf(requests.aws('denied'))], env);
    await cloudCli(['mint', ...flagsOf(requests.aws())], env);
    const [first, minted, failed] = await printed(['audit', 'list'], env);
    expect(first!.split(/ +/)).toEqual(['CREATED', 'STATUS', 'CODE', 'PROVIDER', 'KEY', 'ACTOR', 'RUN']);
    expect(minted!.split(/ +/).slice(1, 3)).toEqual(['SUCCEEDED', '-']);
    expect(failed!.split(/ +/).slice(1, 3)).toEqual(['FAILED', 'nonzero_exit']);
  });

  it('fits a terminal: it cuts the actor, then leaves out what matters least, and never the key and the run', async () => {
    const env = freshEnvironment({ CLOUD_CLI_ACTOR: 'alice.with.a.long.name@example.com' });
    await cloudCli(['mint', ...flagsOf(requests.aws('denied'))], env);
    const whole = await printed(['audit', 'list'], env);
    expect(widest(whole)).toBeGreaterThan(120);
    const [run] = whole[1]!.match(/[0-9a-f-]{36}$/)!;
    const shown = async (columns: number) => {
      const lines = await printed(['audit', 'list'], env, columns);
      expect(widest(lines)).toBeLessThanOrEqual(columns);
      expect(lines[1]).toContain(run);
      expect(lines[1]).toContain(' idp:aws:prod ');
      return headings(lines);
    };
    expect(await printed(['audit', 'list'], env, 200)).toEqual(whole);
    expect(await shown(120)).toEqual(headings(whole));
    expect(await shown(100)).toEqual(['CREATED', 'STATUS', 'CODE', 'KEY', 'RUN']);
    expect(await shown(80)).toEqual(['STATUS', 'CODE', 'KEY', 'RUN']);
    expect((await printed(['audit', 'list'], env, 120))[1]).toMatch(/ alice\.with\S*\.\.\. /);
  });
});

describe('cloud-cli credentials list', () => {
  it('keeps the key, what is left and the identity whole on a narrow terminal', async () => {
    const env = freshEnvironment();
    await cloudCli(['mint', ...flagsOf(requests.aws())], env);
    const lines = await printed(['credentials', 'list'], env, 80);
    expect(widest(lines)).toBeLessThanOrEqual(80);
    expect(headings(lines)).toEqual(['KEY', 'LEFT', 'IDENTITY']);
    expect(headings(await printed(['credentials', 'list'], env))).toContain('RUN');
  });
});
