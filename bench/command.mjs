/** The command, from the shell's view: its start against an empty Node's, and a real mint against the vendor's CLI. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { awsEnvironment } from '../fixtures/loopback/environment.mjs';
import { startSts } from '../fixtures/loopback/sts.mjs';
import { awsArgv, command, here, realPath, standIns } from './lab.mjs';
import { compare, timed } from './pairs.mjs';

const request = [
  '--json',
  '--provider',
  'aws',
  '--target-credential-key',
  'bench:aws',
  '--role-arn',
  'arn:aws:iam::123456789012:role/deploy',
];

export const commandRows = [
  {
    name: 'cloud-cli preview --json / node -e 0',
    goal: 1.25,
    run: (lab, pairs = 40) => againstNode(lab, [command, 'preview', ...request], pairs),
  },
  {
    name: 'cloud-cli mint --json, instant CLI / node -e 0',
    goal: 1.7,
    run: (lab, pairs = 40) => againstNode(lab, [command, 'mint', ...request], pairs),
  },
  {
    name: 'cloud-cli mint --json, real aws / that aws alone',
    goal: 1.2,
    async run(lab, pairs = 20) {
      const sts = await startSts();
      lab.later(sts.close);
      const env = {
        ...awsEnvironment(lab.fresh('aws'), sts.url),
        PATH: realPath,
        CLOUD_CLI_HOME: lab.fresh('home'),
      };
      return compare({
        ours: () => run(process.execPath, [command, 'mint', ...request], env),
        other: () => run('aws', awsArgv, env),
        pairs,
      });
    },
  },
  {
    name: "import '@alphaswarm/cloud-cli' / node -e 0",
    goal: 1.6,
    run: (lab, pairs = 40) => againstNode(lab, [join(here, 'import.mjs')], pairs),
  },
];

function againstNode(lab, args, pairs) {
  const env = { PATH: standIns, HOME: lab.directory, CLOUD_CLI_HOME: join(lab.directory, 'home') };
  return compare({
    ours: () => run(process.execPath, args, env),
    other: () => run(process.execPath, ['-e', '0'], env),
    pairs,
  });
}

/** Milliseconds until the process is gone, its output read as a shell's substitution reads it. */
function run(file, args, env) {
  return timed(async () => {
    const child = spawn(file, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
    child.stdout.resume();
    const [status] = await once(child, 'close');
    if (status !== 0) throw new Error(`${file} ${args[0]} exited with status ${status}`);
  });
}
