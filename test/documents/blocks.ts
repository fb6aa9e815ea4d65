/** The fenced code of the README and of what is below docs/, with what its fence says of it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../support.js';

export interface Block {
  /** Its path in the repository, such as docs/deploy.md. */
  document: string;
  /** Of its first line. */
  line: number;
  /** The fence's first word, which colours it. */
  language: string;
  /** The fence's other words: what the tests do with it. */
  words: string[];
  text: string;
}

/** README.md, and every page below docs/. */
export const documents = [
  'README.md',
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`)
    .toSorted(),
];

export const textOf = (document: string) => readFileSync(join(root, document), 'utf8');

export function blocksOf(document: string, text = textOf(document)): Block[] {
  // One that stands in a list is indented, and its fences are as far in as it is.
  return [...text.matchAll(/^( *)```(\w+)([^\n]*)\n(.*?)^\1```$/gms)].map((match) => ({
    document,
    line: text.slice(0, match.index).split('\n').length + 1,
    language: match[2]!,
    words: match[3]!.split(' ').filter((word) => word !== ''),
    text: match[4]!.replaceAll(new RegExp(`^${match[1]}`, 'gm'), ''),
  }));
}

export const blocks = documents.flatMap((document) => blocksOf(document));

/** Where a block stands, for the name of a test. */
export const placeOf = ({ document, line }: Block) => `${document}:${line}`;
