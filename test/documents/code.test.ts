/** The TypeScript and JavaScript of the README and of docs/ compile, against our sources and the real SDKs. */
import { execFileSync } from 'node:child_process';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root, temporaryDirectory } from '../support.js';
import { type Block, blocks, documents, placeOf } from './blocks.js';

interface Manifest {
  name: string;
  exports: Record<string, { types: string } | string>;
}

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest;

/** Each entry point of the package, and the source that its types are made of. */
const paths = Object.fromEntries(
  Object.entries(manifest.exports).flatMap(([entry, target]) =>
    typeof target === 'string'
      ? []
      : [
          [
            `${manifest.name}${entry.slice(1)}`,
            [join(root, target.types.replace('./dist/', 'src/').replace('.d.ts', '.ts'))],
          ],
        ],
  ),
);

/** What a page of the reader's own has, and our examples use. */
const readersOwn = {
  'session.ts': `export const session: {
    access_token: string;
    signInAgain(how: { max_age?: number | undefined; acr_values?: string | undefined }): Promise<void>;
  } = undefined!;\n`,
};

/** Whether the block shows a file of examples/, which its own tests run. */
const isExample = ({ words }: Block) => words[0]?.startsWith('examples/') ?? false;

/** Each block as a file; one that exports something may be imported by those that follow. */
function filesOf(document: string, language: string): Map<string, string> {
  const code = blocks.filter(
    (block) =>
      block.document === document && block.language === language && !(language === 'js' && isExample(block)),
  );
  const exported = (text: string) => /^export const (\w+)/m.exec(text)?.[1];
  return new Map(
    code.map(({ text }, index) => [`${exported(text) ?? `block-${index}`}.ts`, `${text}export {};\n`]),
  );
}

function compile(files: Iterable<[string, string]>, options: Record<string, unknown>): string {
  const work = temporaryDirectory();
  for (const [name, text] of [...files, ...Object.entries(readersOwn)]) writeFileSync(join(work, name), text);
  symlinkSync(join(root, 'node_modules'), join(work, 'node_modules'));
  writeFileSync(join(work, 'package.json'), '{"type":"module"}');
  const compilerOptions = { noEmit: true, rootDir: '/', noUnusedLocals: false, paths, ...options };
  const config = { extends: join(root, 'tsconfig.json'), compilerOptions, include: ['*.ts'] };
  writeFileSync(join(work, 'tsconfig.json'), JSON.stringify(config));
  try {
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    return execFileSync(process.execPath, [tsc, '-p', work], { encoding: 'utf8' });
  } catch (error) {
    return (error as { stdout: string }).stdout;
  }
}

const having = (language: string) => documents.filter((document) => filesOf(document, language).size > 0);

describe.each(having('ts'))('the document %s', (document) => {
  it('has TypeScript that compiles', () => {
    expect(compile(filesOf(document, 'ts'), { types: ['node'] })).toBe('');
  });
});

describe.each(having('js'))('the document %s', (document) => {
  it('has JavaScript that compiles in a page', () => {
    expect(
      compile(filesOf(document, 'js'), {
        types: [],
        lib: ['ES2023', 'ES2024.String', 'DOM', 'DOM.Iterable'],
      }),
    ).toBe('');
  });
});

describe('a block that shows an example', () => {
  it.each(blocks.filter(isExample).map((block) => [placeOf(block), block] as const))(
    '%s is the file as it is',
    (_, { words, text }) => {
      expect(text).toBe(readFileSync(join(root, words[0]!), 'utf8'));
    },
  );
});
