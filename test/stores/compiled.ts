/** The file store compiled to JavaScript, for tests that need processes of their own to run it in. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

export interface Compiled {
  /** `import` lines that bring `openFileStore`, `CredentialKey` and `Secret`. */
  imports: string;
  /** The same where no package can be imported, age-encryption least of all. */
  importsWithoutPackages: string;
  cleanup(): Promise<void>;
}

export async function compileFileStore(): Promise<Compiled> {
  const directory = await mkdtemp(join(tmpdir(), 'cloud-cli-compiled-'));
  await chmod(directory, 0o755);
  const [linked, bare] = [join(directory, 'linked'), join(directory, 'bare')];
  await mkdir(linked);
  const compilerOptions = { outDir: linked, rootDir: join(root, 'src'), declaration: false, types: [] };
  const files = [join(root, 'src/stores/file.ts')];
  const config = { extends: join(root, 'tsconfig.json'), compilerOptions, files, include: [] };
  await writeFile(join(directory, 'tsconfig.json'), JSON.stringify(config));
  await writeFile(join(linked, 'package.json'), '{"type":"module"}');
  try {
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    execFileSync(process.execPath, [tsc, '-p', directory, '--noCheck'], { stdio: 'pipe' });
  } catch (error) {
    throw new Error(`tsc: ${(error as { stdout: Buffer }).stdout}`);
  }
  await cp(linked, bare, { recursive: true });
  await symlink(join(root, 'node_modules'), join(linked, 'node_modules'));
  return {
    imports: imports(linked),
    importsWithoutPackages: imports(bare),
    cleanup: () => rm(directory, { recursive: true, force: true }),
  };
}

function imports(directory: string): string {
  const from = (file: string) => JSON.stringify(pathToFileURL(join(directory, file)).href);
  // Not static imports: a script may have something to do before them.
  return `
    const { openFileStore } = await import(${from('stores/file.js')});
    const { CredentialKey } = await import(${from('key.js')});
    const { Secret } = await import(${from('secret.js')});
  `;
}

/** A node process that runs `script`, an ES module. */
export function start(script: string): ChildProcess {
  return spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
}

/** Waits until `child` prints `line`. */
export async function says(child: ChildProcess, line: string): Promise<void> {
  let text = '';
  for await (const chunk of child.stdout!.iterator({ destroyOnReturn: false })) {
    text += chunk;
    if (text.includes(line)) return;
  }
  throw new Error(`the child ended without saying ${line}`);
}

/** How `child` ended. */
export async function ended(child: ChildProcess): Promise<{ code: number | null; signal: string | null }> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return { code: child.exitCode, signal: child.signalCode };
}
