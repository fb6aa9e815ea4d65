/** A fresh home for a picture: `cloud-cli` and the stand-in vendor CLIs in its bin, whose path a picture shows in short. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

export function freshHome() {
  const home = mkdtempSync(join(tmpdir(), 'cloud-cli-picture-'));
  const bin = join(home, 'bin');
  mkdirSync(bin);
  symlinkSync(join(root, 'bin', 'cloud-cli.js'), join(bin, 'cloud-cli'));
  symlinkSync(process.execPath, join(bin, 'node'));
  for (const name of ['aws', 'gcloud', 'az'])
    symlinkSync(join(root, 'fixtures', 'bin', name), join(bin, name));
  return {
    bin,
    env: {
      PATH: `${bin}:/usr/bin:/bin`,
      HOME: home,
      CLOUD_CLI_HOME: join(home, 'cloud-cli'),
      CLOUD_CLI_ACTOR: 'alice@example.com',
      LANG: 'C.UTF-8',
    },
    /** The directory of the machine that made the picture is nobody's business; real vendor CLIs stand here. */
    inShort: (text) => text.replaceAll(bin, '/usr/local/bin'),
    remove: () => rmSync(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }),
  };
}
