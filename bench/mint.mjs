/** `mint()` in a program that runs, against its vendor's CLI alone and against the clouds' own libraries. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mint, openAuditStore, openCredentialStore } from '@alphaswarm/cloud-cli';
import { fromProcess } from '@aws-sdk/credential-provider-process';
import { AzureCliCredential } from '@azure/identity';
import { awsEnvironment } from '../fixtures/loopback/environment.mjs';
import { startSts } from '../fixtures/loopback/sts.mjs';
import { awsArgv, awsRequest, exec, here, realPath, standIns } from './lab.mjs';
import { compare, timed } from './pairs.mjs';

const azRequest = { provider: 'azure', target_credential_key: 'bench:azure' };
const env = { ...process.env, PATH: standIns };

export const mintRows = [
  {
    name: 'mint() with ledger and encrypted store / execFile',
    goal: 3.5,
    async run(lab, pairs = 100) {
      const mintOne = await minter(lab, { encrypted: true });
      return compare({
        ours: () => timed(mintOne),
        other: () => timed(() => exec(join(here, 'bin/aws'), awsArgv, { env })),
        pairs,
      });
    },
  },
  {
    name: 'mint() with ledger / AzureCliCredential.getToken',
    goal: 1.5,
    async run(lab, pairs = 100) {
      const mintOne = await minter(lab, { request: () => azRequest });
      // It takes its PATH from this process, as an embedder's would.
      process.env.PATH = standIns;
      const credential = new AzureCliCredential();
      const other = () => timed(() => credential.getToken('https://management.azure.com/.default'));
      return compare({ ours: () => timed(mintOne), other, pairs });
    },
  },
  {
    name: "mint() with ledger / the AWS SDK's fromProcess",
    goal: 1.5,
    async run(lab, pairs = 100) {
      const mintOne = await minter(lab);
      const file = lab.fresh('config');
      writeFileSync(
        file,
        `[profile bench]\ncredential_process = ${join(here, 'bin/aws')} ${awsArgv.join(' ')}\n`,
      );
      const other = () =>
        timed(() =>
          fromProcess({ profile: 'bench', configFilepath: file, filepath: '/dev/null', ignoreCache: true })(),
        );
      return compare({ ours: () => timed(mintOne), other, pairs });
    },
  },
  {
    name: 'mint(), real aws / execFile',
    goal: 1.03,
    async run(lab, pairs = 20) {
      const sts = await startSts();
      lab.later(sts.close);
      const env = { ...awsEnvironment(lab.fresh('aws'), sts.url), PATH: realPath };
      const mintOne = await minter(lab, { encrypted: true, env });
      return compare({
        ours: () => timed(mintOne),
        other: () => timed(() => exec('aws', awsArgv, { env })),
        pairs,
      });
    },
  },
];

/** One mint as an embedder makes it, after a first that made the store's directory and its identity. */
export async function minter(
  lab,
  { encrypted = false, request = awsRequest, env: given = env, spawner } = {},
) {
  const audit = await openAuditStore(`sqlite:${lab.fresh('audit.sqlite')}`);
  const store = encrypted ? await openCredentialStore(`file:${lab.fresh('credentials')}`) : undefined;
  lab.later(() => audit.close());
  const persist = store?.persist ?? (async () => {});
  const mintOne = () => mint(request(), { audit, persist, env: given, ...(spawner ? { spawner } : {}) });
  await mintOne();
  return mintOne;
}
