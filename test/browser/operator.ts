/** What an operator does on the page, by the words that stand there. */
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { until } from '../support.js';
import type { Watched } from './chromium.js';
import type { Console } from './stub-console.js';

export const role = (word = 'deploy') => `arn:aws:iam::123456789012:role/${word}`;

/** From the sign-in button to the first step of the wizard. */
export async function signIn({ page }: Watched, { url }: Pick<Console, 'url'>): Promise<void> {
  await page.goto(url);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByRole('button', { name: 'Sign in as' }).click();
  await page.getByRole('heading', { name: 'What do you want to mint?' }).waitFor();
}

export async function fillAws(
  { page }: Watched,
  { role_arn = role(), key = 'idp:aws:prod', external_id = '' } = {},
): Promise<void> {
  await page.getByLabel('AWS: assume a role').check();
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByLabel('Credential key').fill(key);
  await page.getByLabel('Role ARN').fill(role_arn);
  if (external_id !== '') {
    await page.getByText('More options').click();
    await page.getByLabel('External ID').fill(external_id);
  }
}

export async function preview({ page }: Watched): Promise<void> {
  await page.getByRole('button', { name: 'Preview', exact: true }).click();
  await page.getByRole('heading', { name: 'Preview' }).waitFor();
}

export async function mint(watched: Watched): Promise<void> {
  await watched.page.getByRole('button', { name: 'Mint', exact: true }).click();
}

/** What stands beside a name in the list of facts. */
export async function fact({ page }: Watched, name: string): Promise<string> {
  const row = page.locator('dl.facts > div', {
    has: page.locator('dt', { hasText: new RegExp(`^${name}$`) }),
  });
  return (await row.locator('dd').innerText()).trim();
}

/** Asks the dialog for the issuer's window; where it had no address for one yet, it wants another click. */
export async function askForWindow({ context, page }: Watched, name = 'Continue to sign-in'): Promise<void> {
  let isOpen = false;
  context.once('page', () => {
    isOpen = true;
  });
  const button = page.getByRole('button', { name });
  await button.click();
  await until(async () => {
    if (isOpen || (await page.getByText('The browser blocked the window').isVisible())) return true;
    if (!(await page.getByText('Now continue to the sign-in.').isVisible())) return false;
    await button.click();
    return true;
  });
}

/** The issuer's window. */
export async function openWindow(watched: Watched, name?: string): Promise<Page> {
  const opened = watched.context.waitForEvent('page');
  await askForWindow(watched, name);
  const popup = await opened;
  await popup.getByText('You signed in too long ago').waitFor();
  return popup;
}

/** Confirms in the dialog and in the issuer's window. */
export async function confirm(watched: Watched): Promise<void> {
  const popup = await openWindow(watched);
  const closed = popup.waitForEvent('close');
  await popup.getByRole('button', { name: 'Sign in as' }).click();
  await closed;
}

export function routesOf({ calls }: Pick<Console, 'calls'>): string[] {
  return calls.map(({ route }) => route.replace(/^runs\/.*/, 'runs'));
}

/** The heading that has the focus, so that a screen reader reads it. */
export async function focusedText({ page }: Watched): Promise<string> {
  return page.evaluate(() => {
    let focused = document.activeElement;
    while (focused?.shadowRoot?.activeElement) focused = focused.shadowRoot.activeElement;
    return focused?.textContent ?? '';
  });
}

export function expectQuiet({ complaints }: Watched): void {
  expect(complaints).toEqual([]);
}
