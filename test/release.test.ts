/** `.ci/publish`, on a repository of its own whose CI is short: what it refuses, and that it gets as far as the registry. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root, temporaryDirectory } from './support.js';

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<string, unknown>;
const ready = {
  tag: 'v1.2.3',
  changelog: '# Changelog\n\n## 1.2.3 - 2026-11-25\n',
  repository: { url: 'git+https://git.example/cloud-cli.git' } as object | undefined,
  ci: 'mkdir -p dist/library && echo "export {};" >dist/library/index.js',
};

/** A repository as it is before a release, but for what `changed` says. */
function repository(changed: Partial<typeof ready> = {}): string {
  const { tag, changelog, repository, ci } = { ...ready, ...changed };
  const directory = temporaryDirectory();
  mkdirSync(join(directory, '.ci'));
  cpSync(join(root, '.ci/publish'), join(directory, '.ci/publish'));
  writeFileSync(join(directory, '.ci/run'), ci);
  writeFileSync(join(directory, '.gitignore'), 'dist/\n');
  writeFileSync(join(directory, 'CHANGELOG.md'), changelog);
  const { name, files, publishConfig } = manifest;
  const own = { name, version: '1.2.3', type: 'module', files, publishConfig, repository };
  writeFileSync(join(directory, 'package.json'), JSON.stringify(own));
  const git = (...args: string[]) =>
    expect(
      spawnSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args], { cwd: directory })
        .status,
    ).toBe(0);
  git('init', '--quiet');
  git('add', '.');
  git('commit', '--quiet', '--message', 'release');
  git('tag', tag);
  return directory;
}

function publish(directory: string, ...args: string[]) {
  // A registry that is not there: a dry run must not need one.
  const env = { ...process.env, npm_config_registry: 'http://127.0.0.1:9/', npm_config_fetch_retries: '0' };
  const { status, stdout, stderr } = spawnSync('bash', ['.ci/publish', ...args], {
    cwd: directory,
    env,
    encoding: 'utf8',
  });
  return { status, text: stdout + stderr };
}

describe('a release', () => {
  it('that is all there is packed and would be published, built by CI from nothing', () => {
    const directory = repository();
    mkdirSync(join(directory, 'dist/library'), { recursive: true });
    writeFileSync(join(directory, 'dist/library/stale.js'), '');
    const { status, text } = publish(directory, '--dry-run');
    expect(text).toContain('+ @alphaswarm/cloud-cli@1.2.3');
    expect(text).toContain('public access (dry-run)');
    expect(text).toContain('dist/library/index.js');
    expect(text).not.toContain('stale.js');
    expect(status).toBe(0);
  });

  it.each([
    ['without its tag', { tag: 'v1.2.2' }, 'HEAD has no tag v1.2.3'],
    [
      'without its section in the changelog',
      { changelog: '## Unreleased\n' },
      'no section `## 1.2.3 - DATE`',
    ],
    ['with the section of another version', { changelog: '## 1.2.30 - 2026-11-25\n' }, 'no section'],
    ['without a repository', { repository: undefined }, 'names no repository'],
  ])('%s is refused before CI runs', (_, changed, why) => {
    const directory = repository(changed);
    const { status, text } = publish(directory, '--dry-run');
    expect([status, text]).toEqual([1, expect.stringContaining(why)]);
    expect(existsSync(join(directory, 'dist'))).toBe(false);
  });

  it('of a tree with changes is refused', () => {
    const directory = repository();
    writeFileSync(join(directory, 'new.js'), '');
    expect(publish(directory, '--dry-run')).toEqual({
      status: 1,
      text: expect.stringContaining('the tree has changes'),
    });
  });

  it('is not published where CI fails, or changes the tree', () => {
    const fails = publish(repository({ ci: 'exit 3' }), '--dry-run');
    expect(fails).toEqual({ status: 3, text: '' });
    const changes = publish(repository({ ci: 'echo >more.js' }), '--dry-run');
    expect(changes).toEqual({ status: 1, text: expect.stringContaining('CI has changed the tree') });
  });

  it('takes no other option, such as another tag of the registry', () => {
    expect(publish(repository(), '--tag', 'next')).toEqual({
      status: 1,
      text: expect.stringContaining('nothing else'),
    });
  });
});
