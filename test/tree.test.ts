/** The shape of the tree: which way imports point, and what each entry point loads. */
import { execFileSync } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { cloudCli, flagsOf, freshEnvironment, requests, root, temporaryDirectory } from './support.js';

const src = join(root, 'src');
const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));

/** Files that a file imports, by whether a value or a type alone is taken. */
function importsOf(file: string): { to: string; typeOnly: boolean; lazy: boolean }[] {
  const text = readFileSync(join(src, file), 'utf8');
  const found = [
    ...text.matchAll(/^(?:import|export)\s+(type\s)?[^;]*?from '(\.[^']+)'|import\('(\.[^']+)'\)/gms),
  ];
  return found.map(([, type, path, lazyPath]) => ({
    to: relative(src, resolve(src, dirname(file), (path ?? lazyPath)!)).replace(/\.js$/, '.ts'),
    typeOnly: type !== undefined,
    lazy: lazyPath !== undefined,
  }));
}

/** The files that are loaded with a file: the import graph without types and lazy imports. */
function eager(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const { to, typeOnly, lazy } of importsOf(file)) if (!typeOnly && !lazy) eager(to, seen);
  return seen;
}

const values = new Map(
  files.map((file) => [
    file,
    importsOf(file)
      .filter(({ typeOnly }) => !typeOnly)
      .map(({ to }) => to),
  ]),
);

describe('the tree', () => {
  it('has no import that leads to nothing', () => {
    for (const [file, targets] of values)
      for (const to of targets) expect([file, files.includes(to) ? to : `missing ${to}`]).toEqual([file, to]);
  });

  it('has no cycle', () => {
    const state = new Map<string, 'open' | 'done'>();
    const walk = (file: string, trail: string[]): void => {
      if (state.get(file) === 'done') return;
      expect(state.get(file) === 'open' ? [...trail, file] : []).toEqual([]);
      state.set(file, 'open');
      for (const to of values.get(file) ?? []) walk(to, [...trail, file]);
      state.set(file, 'done');
    };
    for (const file of files) walk(file, []);
  });

  it('points inward: the core knows no front end, and storage engines do not know each other', () => {
    for (const [file, targets] of values) {
      if (!file.startsWith('cli/'))
        expect([file, targets.filter((to) => to.startsWith('cli/'))]).toEqual([file, []]);
      if (!/^(?:cli|http)\//.test(file))
        expect([file, targets.filter((to) => to.startsWith('http/'))]).toEqual([file, []]);
      if (file.startsWith('handlers/'))
        expect([file, targets.filter((to) => !/^(handler|secret|zod|handlers\/\w+)\.ts$/.test(to))]).toEqual([
          file,
          [],
        ]);
      if (file === 'secret.ts') expect(targets).toEqual([]);
    }
  });

  it('keeps the browser apart: it imports nothing of Node, and no other part imports it', () => {
    const forBrowsers = (file: string) => file.startsWith('browser/');
    for (const [file, targets] of values) {
      if (!forBrowsers(file))
        expect([file, targets.filter((to) => to.startsWith('browser/'))]).toEqual([file, []]);
    }
    const reached = (file: string, seen = new Set<string>()): Set<string> => {
      if (seen.has(file)) return seen;
      seen.add(file);
      for (const to of values.get(file) ?? []) reached(to, seen);
      return seen;
    };
    const all = [...files.filter(forBrowsers), 'challenge.ts'].flatMap((file) => [...reached(file)]);
    for (const file of new Set(all))
      expect([
        file,
        readFileSync(join(src, file), 'utf8').match(/from 'node:[^']*'|\bBuffer\b|\bprocess\./g),
      ]).toEqual([file, null]);
    const packages = [...new Set(all)].flatMap((file) =>
      [...readFileSync(join(src, file), 'utf8').matchAll(/from '([^.][^']*)'/g)].map((match) => match[1]!),
    );
    // Bundled into the page; the entry point for embedders needs no package.
    expect([...new Set(packages)]).toEqual(['oauth4webapi']);
    expect([...reached('browser/index.ts')].filter((file) => file.startsWith('browser/page'))).toEqual([]);
  });

  it('names a provider in its own handler only', () => {
    const outside = files.filter((file) => !file.startsWith('handlers/'));
    const branches = outside.filter((file) =>
      /(?:===|!==|case) *'(?:aws|gcp|azure)'/.test(readFileSync(join(src, file), 'utf8')),
    );
    expect(branches).toEqual([]);
  });

  it('opens secrets in the spawner, the form at rest and what hands them to their user alone', () => {
    const callers = files.filter((file) => /\.reveal\(\)/.test(readFileSync(join(src, file), 'utf8')));
    const forSdks = ['sdk/aws.ts', 'sdk/azure.ts', 'sdk/gcp.ts'];
    expect(callers.toSorted()).toEqual(['credential.ts', 'formats.ts', 'run.ts', ...forSdks]);
  });

  it('loads a vendor’s SDK when its store is opened, not when it is imported', () => {
    for (const file of files.filter((name) => name.startsWith('stores/'))) {
      const text = readFileSync(join(src, file), 'utf8');
      const eager = [...text.matchAll(/^import (?!type)[^;]*? from '([^.][^']*)'/gms)].map(
        (match) => match[1]!,
      );
      expect([file, eager.filter((name) => !name.startsWith('node:'))]).toEqual([file, []]);
    }
  });

  it('spawns vendor processes from one file, the command of `exec` from another, and the helper that spawns', () => {
    const spawning = files.filter((file) =>
      /(?:from |import\()'(?:node:child_process|execa)'/.test(readFileSync(join(src, file), 'utf8')),
    );
    expect(spawning.toSorted()).toEqual(['foreground.ts', 'run.ts', 'spawn-helper.ts']);
  });

  it('has no room for things without a name', () => {
    expect(files.filter((file) => /(^|\/)(utils?|helpers?|common|types)\.ts$/.test(file))).toEqual([]);
  });

  it('says in the first sentence of each file what it is for', () => {
    for (const file of files)
      expect([file, readFileSync(join(src, file), 'utf8').startsWith('/**')]).toEqual([file, true]);
  });

  it('loads zod alone for the library, and neither the command line nor prompts', () => {
    const packages = [...eager('index.ts')].flatMap((file) =>
      [...readFileSync(join(src, file), 'utf8').matchAll(/^import (?!type)[^;]*? from '([^.][^']*)'/gms)].map(
        (match) => match[1]!,
      ),
    );
    const foreign = packages.filter((name) => !name.startsWith('node:'));
    expect([...new Set(foreign.map((name) => name.split('/')[0]))]).toEqual(['zod']);
  });

  it('previews with neither the native addon, nor execa, nor what spawns, nor what encrypts', async () => {
    const directory = temporaryDirectory();
    const probe = join(directory, 'probe.cjs');
    const code = `process.on('exit', () => {
      const files = Object.keys(require('node:module')._cache).filter((name) => name.includes('node_modules'));
      const own = process.moduleLoadList.filter((name) => /^NativeModule (?:child_process|crypto|net)$/.test(name));
      require('node:fs').writeFileSync(process.env.PROBED, JSON.stringify([...files, ...own]));
    });`;
    writeFileSync(probe, code);
    const probed = join(directory, 'probed.json');
    const env = freshEnvironment({ NODE_OPTIONS: `--require ${probe}`, PROBED: probed });
    const loaded = async (args: string[]) => {
      expect((await cloudCli(args, env)).code).toBe(0);
      return JSON.parse(readFileSync(probed, 'utf8')) as string[];
    };
    expect(await loaded(['preview', '--json', ...flagsOf(requests.aws())])).toEqual([]);
    expect((await loaded(['audit', 'list'])).some((name) => name.endsWith('better_sqlite3.node'))).toBe(true);
  });

  it('starts a command without the others: they are loaded by name', () => {
    const loaded = [...eager('cli/main.ts')];
    expect(loaded).toContain('cli/program.ts');
    expect(loaded.filter((file) => /^(?:audit|http|stores|handlers|doctor)\//.test(file))).toEqual([]);
    expect(
      loaded.filter((file) => /^cli\/(?:mint|preview|serve|keep|doctor|audit|exec)\.ts$/.test(file)),
    ).toEqual([]);
    const preview = [...eager('cli/preview.ts')];
    expect(preview.filter((file) => /^(?:audit|http|stores)\/|^(?:run|mint)\.ts$/.test(file))).toEqual([]);
  });

  it('reaches from ./admin, packages included, nothing that spawns, stores or is native', async () => {
    // A bundler walks what is built as Node does, lazy imports and CommonJS too.
    const { metafile } = await build({
      entryPoints: [join(root, 'dist/http/admin.js')],
      bundle: true,
      platform: 'node',
      format: 'esm',
      metafile: true,
      write: false,
      logLevel: 'error',
    });
    const reached = Object.entries(metafile.inputs);
    const system = reached.flatMap(([, { imports }]) =>
      imports.filter(({ external }) => external).map(({ path }) => path.replace('node:', '')),
    );
    expect(system).toContain('http');
    expect(
      system.filter((name) => /^(?:child_process|cluster|worker_threads|module|ffi)/.test(name)),
    ).toEqual([]);
    const inputs = reached.map(([file]) => file);
    expect(
      inputs.filter((file) => /\.node$|better-sqlite3|execa|age-encryption|node_modules\/pg/.test(file)),
    ).toEqual([]);
    const own = inputs.flatMap((file) => /(?<=^|\/)dist\/(?!.*node_modules)(.+)$/.exec(file)?.[1] ?? []);
    const kept =
      /^(?:stores|audit|cli|doctor)\/|^(?:run|mint|locate|environment|credential|spawn-helper|foreground)\.js$/;
    for (const modules of [own, [...loadedBy('dist/library/admin.js', true)].flatMap(modulesIn)]) {
      expect(modules).toContain('http/admin.js');
      expect(modules.filter((file) => kept.test(file))).toEqual([]);
    }
  });
});

/** The built files that one of them loads, and with `later` those that it may load as it goes on. */
function loadedBy(path: string, later = false, seen = new Set<string>()): Set<string> {
  if (seen.has(path)) return seen;
  seen.add(path);
  const text = readFileSync(join(root, path), 'utf8');
  const atOnce = text.matchAll(/^(?:import|export|\}).*?["'](\.[^"']+)["'];$/gm);
  const lazily = text.matchAll(/import\(["'](\.[^"']+)["']\)/g);
  for (const [, next] of [...atOnce, ...(later ? lazily : [])])
    loadedBy(join(dirname(path), next!), later, seen);
  return seen;
}

/** The modules of ours in a bundle, as esbuild names each above its code. */
function modulesIn(path: string): string[] {
  const found = readFileSync(join(root, path), 'utf8').matchAll(/^\/\/ dist\/(.+)$/gm);
  return [...new Set([...found].map(([, module]) => module!))];
}

describe('the package, as it is published', () => {
  const node = (code: string, cwd = root): string =>
    execFileSync(process.execPath, ['--input-type=module', '-e', code], { cwd, encoding: 'utf8' });

  it('is imported where no package is installed, and without what of Node takes long to load', () => {
    const bare = temporaryDirectory();
    cpSync(join(root, 'dist/library'), join(bare, 'library'), { recursive: true });
    writeFileSync(join(bare, 'package.json'), '{"type":"module"}');
    const code = `const before = process.moduleLoadList.length;
      await import('./library/index.js');
      console.log(process.moduleLoadList.slice(before).join('\\n'));`;
    expect(node(code, bare)).not.toMatch(
      /^NativeModule (?:crypto|stream|http|net|child_process|worker_threads)$/m,
    );
  });

  it('is imported from a few files', () => {
    expect(loadedBy('dist/library/index.js').size).toBeLessThanOrEqual(3);
  });

  it('holds each module of ours once', () => {
    const modules = readdirSync(join(root, 'dist/library')).flatMap((file) =>
      modulesIn(join('dist/library', file)),
    );
    expect(modules).toContain('errors.js');
    expect(modules.filter((module, index) => modules.indexOf(module) !== index)).toEqual([]);
  });

  it('knows its classes by whichever entry point they come', () => {
    const told = node(`
      import { CloudCliError, openCredentialStore, Secret } from '@alphaswarm/cloud-cli';
      import { problemAnswer } from '@alphaswarm/cloud-cli/http';
      import { openFileStore } from '@alphaswarm/cloud-cli/stores/file';
      import { openVaultStore } from '@alphaswarm/cloud-cli/stores/vault';
      import { persistSample, sampleCredential } from '@alphaswarm/cloud-cli/testing';
      const failures = await Promise.allSettled([
        openCredentialStore('file:'),
        openFileStore(''),
        openVaultStore('vault+https://vault.example/secret?nonsense=1'),
        persistSample(() => Promise.reject(new Error('no'))),
      ]);
      for (const { reason } of failures) console.log(reason instanceof CloudCliError, reason?.code);
      console.log(problemAnswer(new CloudCliError('conflict', 'x', {})).status);
      console.log(Object.values(sampleCredential()).some((value) => value instanceof Secret));
    `);
    expect(told.trim().split('\n')).toEqual([
      'true invalid_request',
      'true invalid_request',
      'true invalid_request',
      'true persist_failed',
      '409',
      'true',
    ]);
  });

  it('holds what it imports, and nothing that was bundled', () => {
    const pack = ['pack', '--dry-run', '--json', '--ignore-scripts'];
    const packed = JSON.parse(execFileSync('npm', pack, { cwd: root, encoding: 'utf8' }));
    const [{ files: inside }] = Object.values(packed) as [{ files: { path: string }[] }];
    const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      exports: Record<string, string | { default: string }>;
    };
    const entries = Object.values(exports).flatMap((target) =>
      typeof target === 'string' ? [] : [join(target.default)],
    );
    // The helper's process is found by its URL.
    const reached = [...entries, 'dist/spawn-helper-process.js'].flatMap((path) => [...loadedBy(path, true)]);
    const ours = (paths: string[]) =>
      [...new Set(paths)].filter((path) => /^dist\/(?!browser\/).*\.js$/.test(path)).toSorted();
    expect(ours(inside.map(({ path }) => path))).toEqual(ours(reached));
  });
});
