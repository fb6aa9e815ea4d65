/** The pictures of docs/images: they say what the program says today. `npm run images` makes them anew. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { photographConsole } from '../.ci/images/console.mjs';
import { linesOf, renderTerminal } from '../.ci/images/svg.mjs';
import { recordWizard } from '../.ci/images/wizard.mjs';
import { root } from './support.js';

const image = (name: string) => readFileSync(join(root, 'docs', 'images', name));
const isOnCi = process.env.CI === 'true';

/** Without what differs from run to run. */
const masked = (lines: string[]) =>
  lines.map((line) =>
    line
      .replace(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'RUN_ID')
      .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
      .replace(/^( +time_left +).*$/, '$1LEFT'),
  );

const widthOf = (png: Uint8Array) => Buffer.from(png).readUInt32BE(16);
const pngSignature = '89504e470d0a1a0a';

describe('the picture of the wizard', () => {
  const hasTmux = ['/usr/bin/tmux', '/usr/local/bin/tmux', '/opt/homebrew/bin/tmux'].some(existsSync);

  it.skipIf(!hasTmux && !isOnCi)('says what the wizard says (install tmux to check)', async () => {
    const now = linesOf(renderTerminal(await recordWizard(), ''));
    expect(now.length).toBeGreaterThan(15);
    expect(masked(linesOf(image('wizard.svg').toString()))).toEqual(masked(now));
  });

  it('is small, in need of nothing else, and tells nothing of the machine that made it', () => {
    const svg = image('wizard.svg').toString();
    expect(svg.length).toBeLessThan(30_000);
    expect(svg).not.toMatch(/<script|<image|href=|@import|url\(/);
    expect(svg.match(/\/(?:tmp|home|root|work|Users)\b/g)).toBeNull();
    expect(svg).toContain('prefers-color-scheme: dark');
  });

  it('keeps the text, its markup characters and its columns', () => {
    const svg = renderTerminal('\u001b[1ma <b> & "c"\u001b[0m  d\n\n\u001b[2me\u001b[22m', 'A & B');
    expect(linesOf(svg)).toEqual(['a <b> & "c"  d', 'e']);
    expect(svg).toContain('<title>A &#38; B</title>');
    expect(svg).toContain('class="dim"');
  });
});

describe('the picture of the console', () => {
  it('is a PNG of a page’s width, and small', () => {
    const png = image('console.png');
    expect([png.subarray(0, 8).toString('hex'), widthOf(png)]).toEqual([pngSignature, 1200]);
    expect(png.length).toBeLessThan(150_000);
  });

  it.skipIf(!existsSync('/usr/bin/chromium') && !isOnCi)(
    'can be made anew (install chromium to check)',
    { timeout: 300_000 },
    async () => {
      expect(widthOf(await photographConsole())).toBe(1200);
    },
  );
});
