/** What the documents give to paste is what it is taken for, and what they point to is there. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { loadSettings } from '../../src/config.js';
import { root, temporaryDirectory } from '../support.js';
import { blocks, documents, placeOf, textOf } from './blocks.js';

/** IAM's grammar of a policy, as far as ours use it. */
const oneOrMore = z.union([z.string(), z.array(z.string()).min(1)]);
const statement = z.strictObject({
  Sid: z.string().optional(),
  Effect: z.enum(['Allow', 'Deny']),
  Principal: z.partialRecord(z.enum(['AWS', 'Service', 'Federated']), oneOrMore).optional(),
  Action: z.union([
    z.literal('*'),
    z.string().regex(/^[\w-]+:[\w*]+$/),
    z.array(z.string().regex(/^[\w-]+:[\w*]+$/)),
  ]),
  Resource: oneOrMore.optional(),
  Condition: z.record(z.string(), z.record(z.string(), oneOrMore)).optional(),
});
const policy = z
  .strictObject({ Version: z.literal('2012-10-17'), Statement: z.array(statement).min(1) })
  .refine(
    ({ Statement }) =>
      Statement.every(({ Principal, Resource }) => (Principal === undefined) !== (Resource === undefined)),
    'a statement has a Principal, in a trust policy, or a Resource, in any other',
  );

const of = (...languages: string[]) =>
  blocks
    .filter(({ language }) => languages.includes(language))
    .map((block) => [placeOf(block), block] as const);

describe('JSON', () => {
  it.each(of('json'))('at %s is a policy of IAM or a configuration', (_, { text }) => {
    const value = JSON.parse(text);
    if ('Statement' in value) {
      expect(policy.safeParse(value).error).toBeUndefined();
      return;
    }
    const file = join(temporaryDirectory(), 'config.json');
    writeFileSync(file, text);
    expect(() => loadSettings({ CLOUD_CLI_CONFIG: file })).not.toThrow();
  });
});

describe('a part of a file', () => {
  const deploy = join(root, 'examples', 'deploy');
  const files = readdirSync(deploy).map((name) => readFileSync(join(deploy, name), 'utf8'));

  it.each(of('nginx', 'dockerfile', 'systemd'))('at %s stands so in examples/deploy', (_, { text }) => {
    expect(files.some((file) => file.includes(text))).toBe(true);
  });
});

describe('the troubleshooting table', () => {
  it('quotes hints that are given', () => {
    const [, section = ''] = textOf('README.md').split('## Troubleshooting\n');
    const quoted = [...section.split('\n## ')[0]!.matchAll(/“([^”]+)”/g)].map(([, hint]) => hint!);
    const given = ['src', 'test/transcripts'].map((place) => allOf(place)).join('\n');
    expect(quoted.length).toBeGreaterThan(10);
    expect(quoted.filter((hint) => !given.includes(hint))).toEqual([]);
  });
});

describe('a path', () => {
  it('in CONTRIBUTING.md is one of the repository', () => {
    const text = readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8');
    const paths = [
      ...text.matchAll(/`((?:src|bin|test|fixtures|docs|man|examples|bench|\.ci)\/[\w./@-]+)`/g),
    ].map(([, path]) => path!);
    expect(paths.length).toBeGreaterThan(40);
    expect(paths.filter((path) => !/NAME/.test(path) && !existsSync(join(root, path)))).toEqual([]);
  });
});

/** Every text below a directory of the repository. */
function allOf(place: string): string {
  return readdirSync(join(root, place), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
    .join('\n');
}

describe('a link', () => {
  it.each([...documents, 'CONTRIBUTING.md', 'SECURITY.md'])(
    'of %s leads to a file, and to a heading of it',
    (document) => {
      const text = textOf(document).replace(/^ *```.*?^ *```$/gms, '');
      const targets = [...text.matchAll(/\]\(([^)\s]+)\)|src="([^"]+)"/g)].map(
        ([, link, image]) => link ?? image!,
      );
      const broken = targets
        .filter((target) => !/^https?:/.test(target))
        .filter((target) => {
          const [path = '', heading] = target.split('#');
          const file = path === '' ? document : join(dirname(document), path);
          if (!existsSync(join(root, file))) return true;
          return heading !== undefined && !headingsOf(file).includes(heading);
        });
      expect(broken).toEqual([]);
    },
  );
});

/** As GitHub makes fragments of headings. */
function headingsOf(document: string): string[] {
  return [...textOf(document).matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );
}
