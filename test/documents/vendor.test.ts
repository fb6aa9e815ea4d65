/**
 * What the documents have the vendors' own CLIs do, as far as the real ones can be asked on this host.
 *
 * aws: each command is sent, by the real aws, to a loopback server that answers anything; so the CLI knows the command and
 * its options, and takes the documents. Where moto_server is installed (it comes from pip, which CI has not), the commands
 * of the first mint make the roles and policies there, and the minted credential is moto's. moto does not check that the
 * policies suffice. gcloud (which CI has not) and az read the whole command line, and stop for the login that is missing;
 * nothing of Google's and Azure's is behind them. `az login` and `gcloud auth` would leave this host, and are not run.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { azEnvironment, gcloudEnvironment, refused } from '../../fixtures/loopback/environment.mjs';
import { serve } from '../../fixtures/loopback/serve.mjs';
import { describeLive, path } from '../live/vendor.js';
import { onMoto } from '../stores/loopback.js';
import { cloudCli, collect, flagsOf, requests, temporaryDirectory } from '../support.js';
import { type Block, blocks, placeOf } from './blocks.js';

const vendor = blocks.filter(({ language, words }) => language === 'sh' && words.includes('vendor'));

/** The commands of a block, one a line. */
const commandsOf = (block: Block) => block.text.replaceAll('\\\n', '').trim().split('\n');

const commands = vendor.flatMap((block) =>
  commandsOf(block).map((command) => [command.slice(0, 60), { command, block }] as const),
);
const of = (binary: string) => commands.filter(([name]) => name.startsWith(`${binary} `));

/** A directory with the documents that the blocks of a page name. */
function directoryOf(document: string): string {
  const directory = temporaryDirectory();
  for (const { words, text } of blocks.filter(
    (block) => block.document === document && block.language === 'json',
  ))
    if (words[0]) writeFileSync(join(directory, words[0]), text);
  return directory;
}

/** What would leave this host is refused at once. */
const alone = { HTTP_PROXY: refused, HTTPS_PROXY: refused, https_proxy: refused, NO_PROXY: '127.0.0.1' };

function run(command: string, cwd: string, env: Record<string, string>) {
  return collect(
    spawn('/bin/bash', ['-e', '-c', command], {
      cwd,
      env: { PATH: path, ...alone, ...env },
      timeout: 150_000,
    }),
  );
}

const awsEnvironment = (directory: string, url: string) => ({
  HOME: directory,
  AWS_ENDPOINT_URL: url,
  AWS_ACCESS_KEY_ID: 'loopback',
  AWS_SECRET_ACCESS_KEY: 'loopback',
  AWS_DEFAULT_REGION: 'us-east-1',
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_MAX_ATTEMPTS: '1',
});

/** An answer of the Query protocol that says nothing. */
const xml = (action: string) => `<${action}Response><${action}Result/></${action}Response>`;

it('every block for a vendor is of aws, gcloud or az alone', () => {
  const others = vendor.filter(
    (block) => !commandsOf(block).every((line) => /^(?:aws|gcloud|az) /.test(line)),
  );
  expect(others.map(placeOf)).toEqual([]);
});

describeLive('aws', { install: 'apt-get install awscli', ciHasIt: true }, () => {
  it.each(of('aws'))('takes: %s', async (_, { command, block }) => {
    const server = await serve(({ body, headers }) => ({
      call: { body, target: headers['x-amz-target'] },
      reply: String(headers['content-type']).includes('json')
        ? { body: '{}' }
        : { type: 'text/xml', body: xml(new URLSearchParams(body).get('Action') ?? '') },
    }));
    try {
      const directory = directoryOf(block.document);
      const { code, stderr } = await run(
        // Before 2.13 and 1.29 the variable is not read.
        `${command} --endpoint-url=${server.url}`,
        directory,
        awsEnvironment(directory, server.url),
      );
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(server.calls).toHaveLength(1);
    } finally {
      await server.close();
    }
  });
});

describeLive('gcloud', { install: 'the Google Cloud CLI', ciHasIt: false }, () => {
  it.each(of('gcloud'))('reads: %s', async (_, { command }) => {
    const directory = temporaryDirectory();
    const env = {
      ...gcloudEnvironment(directory, refused, { logged_in: false }),
      CLOUDSDK_CORE_DISABLE_PROMPTS: '1',
    };
    const { code, stderr } = await run(command, directory, env);
    // 2 is what gcloud says to a command or an option that it does not know.
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('gcloud auth login') });
  });
});

describeLive('az', { install: 'apt-get install azure-cli', ciHasIt: true }, () => {
  const asked = of('az').filter(([name]) => !name.startsWith('az login'));
  it.each(asked)('reads: %s', async (_, { command }) => {
    const directory = join(temporaryDirectory(), 'azure');
    mkdirSync(directory);
    const { code, stderr } = await run(
      command,
      directory,
      azEnvironment(directory, refused, { logged_in: false }),
    );
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('az login') });
  });
});

onMoto('the first mint on AWS', (endpoint) => {
  it('is minted by the real aws, with the roles and policies of the document', {
    timeout: 300_000,
  }, async () => {
    const directory = directoryOf('docs/first-mint-aws.md');
    const env = awsEnvironment(directory, endpoint);
    // The host's own role is there before the reader comes.
    const before =
      'aws iam create-role --role-name control-plane --assume-role-policy-document file://trust.json';
    const setUp = vendor.filter(({ document }) => document === 'docs/first-mint-aws.md').flatMap(commandsOf);
    for (const command of [before, ...setUp]) {
      const { code, stderr } = await run(command, directory, env);
      expect({ command, code, stderr }).toEqual({ command, code: 0, stderr: '' });
    }
    const home = { ...alone, ...env, PATH: path, CLOUD_CLI_HOME: join(directory, 'cloud-cli') };
    const minted = await cloudCli(['mint', ...flagsOf(requests.aws())], home);
    expect(minted.stderr).toBe('');
    const whoami = await cloudCli(['exec', 'idp:aws:prod', '--', 'aws', 'sts', 'get-caller-identity'], home);
    expect(JSON.parse(whoami.stdout).Arn).toMatch(/:assumed-role\/deploy\/cloud-cli-/);
  });
});
