/** A real Chromium for tests: pages that tell of every policy violation, of leaks, and of what axe finds. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const executablePath = '/usr/bin/chromium';
const why = 'Chromium is not here; install it: apt-get install chromium';

/** Tests that need Chromium. Without it they are skipped; on CI, which installs it, they fail instead. */
export function describeChromium(name: string, tests: (lab: Lab) => void): void {
  const isMissing = !existsSync(executablePath);
  if (isMissing && process.env.CI === 'true') {
    it('has a Chromium', () => expect.fail(why));
    return;
  }
  describe.skipIf(isMissing)(isMissing ? `skipped: ${why}` : name, { timeout: 300_000 }, () => {
    let browser: Browser;
    const contexts: BrowserContext[] = [];
    beforeAll(async () => {
      browser = await chromium.launch({
        executablePath,
        args: [
          '--no-sandbox',
          '--disable-gpu',
          '--disable-quic',
          '--no-first-run',
          '--no-proxy-server',
          '--disable-background-networking',
          '--disable-component-update',
          '--disable-sync',
        ],
      });
    });
    afterAll(() => browser.close());
    tests({
      open: async (options = {}) => {
        const context = await browser.newContext({
          viewport: { width: 1100, height: 900 },
          colorScheme: 'light',
          ...options,
        });
        contexts.push(context);
        return watched(context);
      },
    });
  });
}

export interface Lab {
  open(options?: Parameters<Browser['newContext']>[0]): Promise<Watched>;
}

export interface Watched {
  context: BrowserContext;
  page: Page;
  /** What broke the policy, was thrown or was logged as an error; a test expects it to stay empty. */
  complaints: string[];
  /** The address of every request of every page. */
  addresses: string[];
}

/** The browser logs each answer of 400 and more as an error; those are what many tests are about. */
const expected = /^Failed to load resource: (?:the server responded|net::ERR_)/;

async function watched(context: BrowserContext): Promise<Watched> {
  const complaints: string[] = [];
  const addresses: string[] = [];
  await context.exposeFunction('complain', (words: string) => complaints.push(words));
  await context.addInitScript(() => {
    addEventListener('securitypolicyviolation', (event) => {
      const { complain } = globalThis as unknown as { complain: (words: string) => void };
      complain(`policy: ${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile}`);
    });
  });
  context.on('console', (message) => {
    if (message.type() === 'error' && !expected.test(message.text())) complaints.push(message.text());
  });
  context.on('weberror', (error) => complaints.push(String(error.error())));
  context.on('request', (request) => addresses.push(request.url()));
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  return { context, page, complaints, addresses };
}

const screenshots =
  process.env.CLOUD_CLI_SCREENSHOTS ?? mkdtempSync(join(tmpdir(), 'cloud-cli-screenshots-'));

/** Pictures of a page in light and in dark; CLOUD_CLI_SCREENSHOTS names the directory to keep them in. */
export async function picture(page: Page, name: string): Promise<void> {
  mkdirSync(screenshots, { recursive: true });
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: join(screenshots, `${name}-${colorScheme}.png`), fullPage: true });
  }
  await page.emulateMedia({ colorScheme: 'light' });
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Expects axe to find nothing, in light and in dark. It comes in past the page's policy, which it is no part of. */
export async function expectAccessible(page: Page, state: string): Promise<void> {
  await picture(page, state.replaceAll(' ', '-'));
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const violations = await page.evaluate(`${axe};
      axe.run().then(({ violations }) => violations.map(({ id, nodes }) => ({
        id,
        nodes: nodes.map(({ target, failureSummary }) => JSON.stringify(target) + ' ' + failureSummary),
      })))`);
    expect([state, colorScheme, violations]).toEqual([state, colorScheme, []]);
  }
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: null });
}

/** Expects none of `secrets` in what a page holds: its document, shadow trees and fields, its stores, its addresses. */
export async function expectNowhere({ context, addresses }: Watched, secrets: string[]): Promise<void> {
  expect(secrets.length).toBeGreaterThan(0);
  const held: string[] = [...addresses, JSON.stringify(await context.cookies())];
  for (const page of context.pages()) {
    held.push(
      page.url(),
      await page.evaluate(() => {
        const texts: string[] = [location.href, document.cookie, JSON.stringify(history.state)];
        const read = (root: Document | ShadowRoot) => {
          texts.push(root instanceof Document ? root.documentElement.outerHTML : root.innerHTML);
          for (const element of root.querySelectorAll('*')) {
            if (element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement)
              texts.push(element.value);
            if (element.shadowRoot) read(element.shadowRoot);
          }
        };
        read(document);
        for (const store of [localStorage, sessionStorage]) texts.push(JSON.stringify(Object.entries(store)));
        return texts.join('\n');
      }),
    );
  }
  const leaks = held.filter((text) => secrets.some((secret) => text.includes(secret)));
  expect(leaks).toEqual([]);
}
