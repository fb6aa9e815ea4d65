/**
 * The shell blocks of the documents, as a reader would type them.
 *
 * ```sh run``` is run and must succeed; ```console``` is run too, and must print what stands there (a line `...` stands for
 * any lines). ```sh try-serve``` is run by test/try-serve.test.ts. ```sh vendor``` is for the vendors' CLIs (vendor.test.ts). ```sh host``` changes a host or needs another one,
 * such as a registry, a collector or systemd: of that and of any other block bash checks the syntax, and no more.
 * UPDATE_DOCUMENTS=1 writes what the consoles print now.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { flagsOf, requests, root } from '../support.js';
import { type Block, blocks, documents, placeOf, textOf } from './blocks.js';
import { newSession, stepsOf } from './session.js';

const shell = blocks.filter(({ language }) => language === 'sh' || language === 'console');
const isRun = ({ language, words }: Block) => language === 'console' || words.includes('run');
const update = process.env.UPDATE_DOCUMENTS === '1';

describe('a shell block', () => {
  it('is told what the tests do with it, where it is of cloud-cli alone', () => {
    const unmarked = shell.filter(({ language, words }) => language === 'sh' && words.length === 0);
    const ours = unmarked.filter(({ text }) =>
      text
        .replaceAll('\\\n', ' ')
        .trim()
        .split('\n')
        .every((line) => /^(?:cloud-cli |export |#|$)/.test(line)),
    );
    expect(ours.map(placeOf)).toEqual([]);
  });

  it.each(shell.map((block) => [placeOf(block), block] as const))(
    '%s is shell that bash can read',
    (_, block) => {
      const script =
        block.language === 'sh'
          ? block.text
          : stepsOf(block.text)
              .map(({ typed }) => typed)
              .join('\n');
      execFileSync('/bin/bash', ['-n'], { input: script, stdio: ['pipe', 'ignore', 'pipe'] });
    },
  );
});

/** Whether `printed` is what a document says, in which a line `...` stands for any lines. */
function fits(printed: string, said: string): boolean {
  const pattern = said
    .split('\n')
    .map((line) => (line === '...' ? '(?:.*\\n)*?.*' : line.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')))
    .join('\n');
  return new RegExp(`^${pattern}$`).test(printed);
}

const files = (document: string) =>
  blocks.filter(
    (block) => block.document === document && block.language !== 'sh' && block.words[0]?.includes('.'),
  );

/** Pages for hosts that have minted before. */
const hasMinted = ['docs/checkpoints.md', 'docs/upgrading.md'];

const sessions = documents.filter((document) =>
  shell.some((block) => block.document === document && isRun(block)),
);

describe.each(sessions)('the session of %s', (document) => {
  it('does what it says', { timeout: 600_000 }, async () => {
    const session = newSession();
    // A block that has a name is a file of the reader's.
    for (const { words, text } of files(document)) writeFileSync(join(session.home, 'work', words[0]!), text);
    if (hasMinted.includes(document))
      await session.run(`cloud-cli mint ${flagsOf(requests.aws()).join(' ')}`);
    let written = textOf(document);
    for (const block of shell.filter((each) => each.document === document && isRun(each))) {
      if (block.language === 'sh') {
        const { code, output } = await session.run(block.text);
        expect({ at: placeOf(block), code, output: code === 0 ? '' : output }).toEqual({
          at: placeOf(block),
          code: 0,
          output: '',
        });
        continue;
      }
      let performed = '';
      for (const { typed, printed } of stepsOf(block.text)) {
        const { output } = await session.run(typed);
        session.names.learn(output, printed);
        const shown = session.names.hide(output);
        performed += `$ ${typed}\n${shown}`;
        if (!update && !fits(shown.trimEnd(), printed.trimEnd()))
          expect({ at: placeOf(block), typed, shown: shown.trimEnd() }).toEqual({
            at: placeOf(block),
            typed,
            shown: printed.trimEnd(),
          });
      }
      written = written.replace(`\`\`\`console\n${block.text}`, () => `\`\`\`console\n${performed}`);
    }
    if (update) writeFileSync(join(root, document), written);
  });
});
