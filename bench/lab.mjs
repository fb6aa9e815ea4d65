/** What the measurements share: a temporary home, instant stand-ins for the vendors' CLIs, and requests. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const here = fileURLToPath(new URL('.', import.meta.url));
export const command = fileURLToPath(new URL('../bin/cloud-cli.js', import.meta.url));
export const exec = promisify(execFile);

/** The caller's own PATH, where the real CLIs are. */
export const realPath = process.env.PATH;

/** PATH with the instant stand-ins first. */
export const standIns = [join(here, 'bin'), dirname(process.execPath), '/usr/bin', '/bin'].join(delimiter);

export async function openLab(rows) {
  const directory = mkdtempSync(join(tmpdir(), 'cloud-cli-bench-'));
  const later = [];
  let last = 0;
  return {
    directory,
    rows,
    /** A path that nothing has yet. */
    fresh(name) {
      last += 1;
      return join(directory, `${last}-${name}`);
    },
    later: (work) => later.push(work),
    async close() {
      for (const work of later.reverse()) await work();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

let keys = 0;

/** A request of its own key, since a key has one mint in flight. */
export function awsRequest() {
  keys += 1;
  return {
    provider: 'aws',
    target_credential_key: `bench:aws:${keys % 512}`,
    role_arn: 'arn:aws:iam::123456789012:role/deploy',
  };
}

/** What our command line runs, as `execFile` runs it: the vendor's own cost. */
export const awsArgv = [
  'sts',
  'assume-role',
  '--role-arn=arn:aws:iam::123456789012:role/deploy',
  '--role-session-name=bench',
  '--duration-seconds=3600',
  '--output=json',
];
