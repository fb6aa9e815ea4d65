/**
 * A document's shell blocks as one session: a fresh home, the built command, the stand-in vendor CLIs, and what earlier
 * blocks exported.
 */
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { collect, freshEnvironment, root } from '../support.js';
import { Names } from './names.js';

export interface Session {
  home: string;
  names: Names;
  /** Runs a script in bash, with the values behind the names; both of its streams, and how it ended. */
  run(script: string): Promise<{ code: number | null; output: string }>;
}

export function newSession(more: NodeJS.ProcessEnv = {}): Session {
  const fresh = freshEnvironment({ CLOUD_CLI_ACTOR: 'alice@example.com', LC_ALL: 'C.UTF-8', ...more });
  const home = fresh.HOME!;
  chmodSync(home, 0o700);
  const bin = join(home, 'bin');
  mkdirSync(bin);
  symlinkSync(join(root, 'bin', 'cloud-cli.js'), join(bin, 'cloud-cli'));
  symlinkSync(process.execPath, join(bin, 'node'));
  const env = { ...fresh, PATH: `${bin}:${join(root, 'fixtures', 'bin')}:/usr/bin:/bin` };
  const work = join(home, 'work');
  mkdirSync(work);
  const exported = join(home, 'exported');
  writeFileSync(exported, '');
  const names = new Names([
    [join(root, 'fixtures', 'bin'), '/usr/bin'],
    [home, '/home/alice'],
  ]);
  return {
    home,
    names,
    run: async (script) => {
      const typed = `. '${exported}'\n{ ${names.show(script)}\n} 2>&1\nstatus=$?\nexport -p >'${exported}'\nexit $status`;
      const child = spawn('/bin/bash', ['-e', '-o', 'pipefail', '-c', typed], {
        env,
        cwd: work,
        stdio: ['ignore', 'pipe', 'pipe'],
        timeout: 180_000,
      });
      const { code, stdout, stderr } = await collect(child);
      return { code, output: stdout + stderr };
    },
  };
}

/** One step of a `console` block: what is typed behind `$ `, and what it prints. */
export interface Step {
  typed: string;
  printed: string;
}

export function stepsOf(text: string): Step[] {
  return text
    .split(/^\$ /m)
    .slice(1)
    .map((part) => {
      const lines = part.split('\n');
      const last = lines.findIndex((line) => !line.endsWith('\\'));
      return { typed: lines.slice(0, last + 1).join('\n'), printed: lines.slice(last + 1).join('\n') };
    });
}
