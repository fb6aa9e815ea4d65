/** SECURITY.md promises nothing that no test holds, and what comes with the package is locked and named. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from './support.js';

const read = (name: string) => readFileSync(join(root, name), 'utf8');
const manifest = JSON.parse(read('package.json'));

interface Locked {
  version: string;
  integrity?: string;
  dev?: boolean;
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
}

const lock = JSON.parse(read('package-lock.json')).packages as Record<string, Locked>;

/** The rows of the table below the heading that has `promised` in it: the promise, and the files that hold it. */
function promises(): { promise: string; files: string[] }[] {
  const [, section = ''] = /^## [^\n]*promised[^\n]*\n(.*?)(?=^## )/ms.exec(read('SECURITY.md')) ?? [];
  const rows = section.split('\n').filter((line) => line.startsWith('|'));
  return rows.slice(2).map((row) => {
    const [, promise = '', test = ''] = row.split('|').map((cell) => cell.trim());
    return { promise, files: [...test.matchAll(/\]\(([^)]+)\)/g)].map((match) => match[1]!) };
  });
}

describe('each promise of SECURITY.md', () => {
  it('is one, and there are some', () => {
    expect(promises().length).toBeGreaterThan(20);
    expect(new Set(promises().map(({ promise }) => promise)).size).toBe(promises().length);
  });

  it.each(promises())('is held by tests: $promise', ({ promise, files }) => {
    expect(promise).not.toBe('');
    expect(files).not.toEqual([]);
    for (const file of files) {
      // Only such a file is run, and only one that has tests can fail.
      expect([file, /^test\/.*\.test\.ts$/.test(file) && existsSync(join(root, file))]).toEqual([file, true]);
      const tests = read(file).match(/^\s*it(?:\.(?:each|runIf|skipIf)\b|\()/gm) ?? [];
      const suites = read(file).match(/^\s*\w+Contract\(/gm) ?? [];
      expect([file, tests.length + suites.length > 0]).toEqual([file, true]);
    }
  });

  it('would be missed by a link that leads nowhere, also in the rest of the page', () => {
    const links = [...read('SECURITY.md').matchAll(/\]\((?!https?:)([^)]+)\)/g)].map((match) => match[1]!);
    expect(links.filter((link) => !existsSync(join(root, link)))).toEqual([]);
  });
});

describe('what comes with the package', () => {
  it('runs no script of ours when it is installed, and none of others in this repository', () => {
    const atInstall = [
      'preinstall',
      'install',
      'postinstall',
      'prepublish',
      'preprepare',
      'prepare',
      'postprepare',
    ];
    expect(Object.keys(manifest.scripts).filter((name) => atInstall.includes(name))).toEqual([]);
    expect(read('.npmrc').split('\n')).toContain('ignore-scripts=true');
  });

  it('is locked by its hash', () => {
    const open = Object.entries(lock).filter(
      ([path, { integrity }]) => path !== '' && !/^sha512-[\w+/]{86}==$/.test(integrity ?? ''),
    );
    expect(open.map(([path]) => path)).toEqual([]);
  });

  it('is in the bill of materials, and nothing of the development is', () => {
    const bom = JSON.parse(
      execFileSync(process.execPath, [join(root, '.ci/sbom.mjs')], { encoding: 'utf8', maxBuffer: 2 ** 26 }),
    );
    expect(bom).toMatchObject({ bomFormat: 'CycloneDX', specVersion: expect.stringMatching(/^1\.[5-9]$/) });
    expect(bom.metadata.component).toMatchObject({
      name: manifest.name,
      version: manifest.version,
      purl: `pkg:npm/${manifest.name.replace('@', '%40')}@${manifest.version}`,
    });
    const named = (bom.components as { name: string; version: string; hashes: unknown[] }[]).map((each) => {
      expect([each.name, each.hashes.length]).toEqual([each.name, 1]);
      return `${each.name}@${each.version}`;
    });
    expect(named.toSorted()).toEqual(needed().toSorted());
  });
});

/** All that the dependencies in package.json need, by the lock file, as Node.js looks for it. */
function needed(): string[] {
  const found = new Map<string, string>();
  const walk = (from: string, names: string[]): void => {
    for (const name of names) {
      const path = placeOf(from, name);
      if (path === undefined || found.has(path)) continue;
      const { version, dependencies, optionalDependencies } = lock[path]!;
      found.set(path, `${name}@${version}`);
      walk(path, Object.keys({ ...dependencies, ...optionalDependencies }));
    }
  };
  walk('', Object.keys(manifest.dependencies));
  return [...new Set(found.values())];
}

/** The nearest one upwards. */
function placeOf(from: string, name: string): string | undefined {
  const path = from === '' ? `node_modules/${name}` : `${from}/node_modules/${name}`;
  if (lock[path]) return path;
  return from === '' ? undefined : placeOf(from.replace(/\/?node_modules\/(?:@[^/]+\/)?[^/]+$/, ''), name);
}
