/** The adapters' types, as who installs the package and no SDK compiles against them. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { root, temporaryDirectory } from '../support.js';

const app = `
import type { CredentialResolver } from '@alphaswarm/cloud-cli';
import { awsCredentialProvider } from '@alphaswarm/cloud-cli/sdk/aws';
import { azureTokenCredential } from '@alphaswarm/cloud-cli/sdk/azure';
import { gcpAuthClient, type RefreshHandler } from '@alphaswarm/cloud-cli/sdk/gcp';

declare const resolver: CredentialResolver;
class Client { refreshHandler?: RefreshHandler }
export const { expiration }: { expiration: Date } = await awsCredentialProvider(resolver, 'idp:aws:prod')();
export const { token }: { token: string } = await azureTokenCredential(resolver, 'idp:azure:prod').getToken([]);
export const client: Client = gcpAuthClient(resolver, 'idp:gcp:prod', Client);
`;

it('need no SDK, nor a compiler that skips the checks of libraries', () => {
  const work = temporaryDirectory();
  const installed = join(work, 'node_modules', '@alphaswarm', 'cloud-cli');
  mkdirSync(join(installed, 'dist'), { recursive: true });
  cpSync(join(root, 'package.json'), join(installed, 'package.json'));
  cpSync(join(root, 'dist'), join(installed, 'dist'), { recursive: true });
  for (const name of ['zod', '@types'])
    symlinkSync(join(root, 'node_modules', name), join(work, 'node_modules', name));
  writeFileSync(join(work, 'app.ts'), app);
  writeFileSync(join(work, 'package.json'), '{"type":"module"}');
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const compile = (module: string, resolution: string) => {
    const modules = ['--target', 'ES2023', '--module', module, '--moduleResolution', resolution];
    const flags = ['--noEmit', '--strict', '--skipLibCheck', 'false', '--types', 'node', ...modules];
    try {
      return execFileSync(process.execPath, [tsc, ...flags, 'app.ts'], { cwd: work, encoding: 'utf8' });
    } catch (error) {
      return (error as { stdout: string }).stdout;
    }
  };
  expect([compile('NodeNext', 'NodeNext'), compile('ESNext', 'Bundler')]).toEqual(['', '']);
});
