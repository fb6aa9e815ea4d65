/** The code of `docs/` compiles, against our sources and the real SDKs. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root, temporaryDirectory } from './support.js';

const directory = join(root, 'docs');
const documents = readdirSync(directory).filter((name) => name.endsWith('.md'));
const { name: ourselves, exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  name: string;
  exports: Record<string, string | { types: string }>;
};

/** Every entry point of the package, and the source that it is built from. */
const paths = Object.fromEntries(
  Object.entries(exports).flatMap(([entry, target]) =>
    typeof target === 'string'
      ? []
      : [[join(ourselves, entry), [join(root, target.types.replace('dist', 'src').replace('.d.ts', '.ts'))]]],
  ),
);

/** Each block of TypeScript as a file; the first may be imported by those that follow. */
function codeOf(document: string): Map<string, string> {
  const text = readFileSync(join(directory, document), 'utf8');
  const blocks = [...text.matchAll(/^```ts(?: \S+)?\n(.*?)^```$/gms)].map((match) => match[1]!);
  const exported = (block: string) => /^export const (\w+)/m.exec(block)?.[1];
  return new Map(blocks.map((block, index) => [`${exported(block) ?? `block-${index}`}.ts`, block]));
}

const withCode = documents
  .map((document) => [document, codeOf(document)] as const)
  .filter(([, files]) => files.size > 0);

describe('the documents', () => {
  it('show the files that they name as they are', () => {
    const shown = documents.flatMap((document) => {
      const text = readFileSync(join(directory, document), 'utf8');
      return [...text.matchAll(/^```\w+ (\S+)\n(.*?)^```$/gms)].map(([, file, code]) => [file!, code!]);
    });
    expect(shown.length).toBeGreaterThan(0);
    for (const [file, code] of shown)
      expect([file, code]).toEqual([file, readFileSync(join(root, file!), 'utf8')]);
  });
});

describe.each(withCode)('the document %s', (_, files) => {
  it('has code that compiles', () => {
    const work = temporaryDirectory();
    for (const [name, code] of files) writeFileSync(join(work, name), `${code}export {};\n`);
    symlinkSync(join(root, 'node_modules'), join(work, 'node_modules'));
    writeFileSync(join(work, 'package.json'), '{"type":"module"}');
    const compilerOptions = { noEmit: true, rootDir: '/', types: ['node'], noUnusedLocals: false, paths };
    writeFileSync(
      join(work, 'tsconfig.json'),
      JSON.stringify({ extends: join(root, 'tsconfig.json'), compilerOptions, include: ['*.ts'] }),
    );
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const compile = () => {
      try {
        return execFileSync(process.execPath, [tsc, '-p', work], { encoding: 'utf8' });
      } catch (error) {
        return (error as { stdout: string }).stdout;
      }
    };
    expect(compile()).toBe('');
  });
});
