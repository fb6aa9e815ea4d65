/** The served page in a real Chromium, from signing in to the ledger row. */
import { expect, it } from 'vitest';
import { describeChromium, expectAccessible, expectNowhere } from './chromium.js';
import { expectQuiet, fact, fillAws, focusedText, mint, preview, routesOf, signIn } from './operator.js';
import { rowFor, startConsole } from './stub-console.js';

describeChromium('the page', (lab) => {
  it('signs in, previews, mints, shows the ledger row, and holds no token', async () => {
    const site = await startConsole();
    const operator = await lab.open();
    const { page } = operator;
    await page.goto(site.url);
    await page.getByRole('heading', { name: 'Sign in to mint' }).waitFor();
    await expectAccessible(page, '1 signed out');
    await signIn(operator, site);
    expect(page.url()).toBe(site.url);
    await page.getByText('Signed in as alice').waitFor();
    await expectAccessible(page, '2 start');

    const external_id = ['external', 'canary', Date.now()].join('-');
    await fillAws(operator, { external_id });
    await page.getByLabel('Session tags').fill('team=core\nstage=prod');
    await page.getByLabel('Timeout').fill('30');
    await expectAccessible(page, '3 form');
    await preview(operator);
    expect(await focusedText(operator)).toBe('Preview');
    expect(await page.locator('pre').innerText()).toContain("'--external-id=****'");
    expect(await fact(operator, 'Binary')).toContain('found: /usr/bin/aws');
    expect(await fact(operator, 'Identity')).toBe('arn:aws:iam::123456789012:role/deploy');
    expect(await fact(operator, 'Timeout')).toBe('30 s');
    await expectAccessible(page, '4 preview');

    await mint(operator);
    await page.getByRole('heading', { name: 'Minted' }).waitFor();
    const { body } = site.calls.at(-1)!;
    expect(body).toEqual({
      provider: 'aws',
      target_credential_key: 'idp:aws:prod',
      role_arn: 'arn:aws:iam::123456789012:role/deploy',
      external_id,
      tags: { team: 'core', stage: 'prod' },
      timeout_seconds: 30,
      run_id: await fact(operator, 'audit_run_id'),
    });
    expect(await fact(operator, 'time_left')).toMatch(/^59m \d+s left$/);
    site.script.rows.set(body.run_id, rowFor(body));
    await page.getByRole('button', { name: 'Show the ledger row' }).click();
    await page.getByRole('table', { name: 'Ledger row' }).waitFor();
    expect(await page.getByRole('row', { name: 'Actor' }).innerText()).toContain('alice@example.com');
    await expectAccessible(page, '5 envelope and ledger row');
    await page.getByText('Troubleshooting').click();
    await expectAccessible(page, '6 troubleshooting');

    expect(routesOf(site)).toEqual(['handlers', 'preview', 'sts', 'runs']);
    await expectNowhere(operator, [...site.issuer.signIn.tokens, external_id]);
    expectQuiet(operator);
  });
});
