/** Builds the shim with gcc, puts it in front of a process, and steers it from inside of that process. */
import { execFileSync, spawnSync } from 'node:child_process';
import { openSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The suite's timers, and SQLite's, run this many times as fast: a clock of 60 seconds rings after 12. */
export const timeScale = 5;

/** Whether this host can build it. */
export function canBuildShim() {
  return process.platform === 'linux' && spawnSync('gcc', ['--version'], { stdio: 'ignore' }).status === 0;
}

/** Builds it into `directory`, and says where. */
export function buildShim(directory) {
  const file = join(directory, 'shim.so');
  const source = fileURLToPath(new URL('./shim.c', import.meta.url));
  execFileSync('gcc', ['-shared', '-fPIC', '-O1', '-o', file, source, '-ldl', '-lpthread']);
  return file;
}

/** The environment of a process behind the shim. */
export function behind(shim, env = process.env) {
  return { ...env, LD_PRELOAD: shim, FAULTS_TIME_SCALE: String(timeScale), UV_USE_IO_URING: '0' };
}

/** Says one thing to the shim of this process. Without one it is a file that is not there. */
export function steer(verb, ...words) {
  try {
    openSync(`/.faults/${[verb, ...words].join('/')}`, 'r');
  } catch {
    // It always fails: the shim has read the path.
  }
}

/** Arms one fault: at `point`, `{effect, argument, left}`, which lasts for `left` more calls (-1: until lifted). */
export function arm({ point, effect, argument = 0, left = 0 }) {
  steer('arm', point.mark, point.call, point.file, point.number, effect, argument, left);
}
