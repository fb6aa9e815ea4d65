/** The served page in a real Chromium, from signing in to the ledger row. */
import { expect, it } from 'vitest';
import type {} from '../../src/browser/wizard.js';
import { until } from '../support.js';
import { describeChromium, expectAccessible, expectNowhere } from './chromium.js';
import {
  confirm,
  expectQuiet,
  fact,
  fillAws,
  focusedText,
  mint,
  preview,
  role,
  routesOf,
  signIn,
} from './operator.js';
import { envelopeFor, rowFor, startConsole } from './stub-console.js';

const minted = 'Minted';

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
    expect(await fact(operator, 'time_left')).toMatch(/^59m \d+s$/);
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

  it('asks for the MFA once, however many mints wait for it, and then mints each', async () => {
    const site = await startConsole();
    const operator = await lab.open();
    const { context, page } = operator;
    await signIn(operator, site);
    await fillAws(operator);
    await preview(operator);
    // A second wizard on the same page, as an embedder may have it, with the same fetch.
    await page.evaluate(() => {
      const first = document.querySelector('cloud-cli-credential-wizard')!;
      const second = document.createElement('cloud-cli-credential-wizard');
      second.id = 'second';
      Object.assign(second, { base: first.base, fetch: first.fetch });
      first.after(second);
    });
    const second = page.locator('#second');
    await second.getByLabel('GCP: impersonate').check();
    await second.getByRole('button', { name: 'Continue' }).click();
    await second.getByLabel('Credential key').fill('idp:gcp:prod');
    await second.getByLabel('Service account').fill('minter@my-project.iam.gserviceaccount.com');
    await second.getByRole('button', { name: 'Preview', exact: true }).click();
    await second.getByRole('heading', { name: 'Preview' }).waitFor();

    // As if the operator had read the preview for a while.
    site.issuer.ageSessions(200);
    site.script.stale.add(site.calls.at(-1)!.token);
    await page.evaluate(() => {
      for (const wizard of document.querySelectorAll('cloud-cli-credential-wizard'))
        wizard.shadowRoot!.querySelector<HTMLElement>('button.primary')!.click();
    });
    const dialog = page.getByRole('dialog', { name: 'Confirm it is you' });
    await dialog.waitFor();
    await until(() => routesOf(site).filter((route) => route === 'sts').length === 2);
    expect(await focusedText(operator)).toBe('Continue to sign-in');
    await expectAccessible(page, '7 dialog');
    await confirm(operator);
    await page.getByRole('heading', { name: minted }).nth(1).waitFor();
    expect(await page.getByRole('heading', { name: minted }).count()).toBe(2);
    expect(await dialog.count()).toBe(0);
    const sent = site.calls.filter(({ route }) => route === 'sts');
    expect(sent.map(({ body }) => body.provider).toSorted()).toEqual(['aws', 'aws', 'gcp', 'gcp']);
    expect(new Set(sent.map(({ token }) => token)).size).toBe(2);
    expect(site.issuer.signIn.signIns).toBe(2);
    expect(context.pages()).toHaveLength(1);
    await expectNowhere(operator, site.issuer.signIn.tokens);
    expectQuiet(operator);
  });

  it('shows each wrong field beside it, and moves the focus to the first', async () => {
    const site = await startConsole();
    const operator = await lab.open();
    const { page } = operator;
    await signIn(operator, site);
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByText('Pick a provider.').waitFor();
    await fillAws(operator, { key: '', role_arn: '' });
    await page.getByRole('button', { name: 'Preview', exact: true }).click();
    await page.getByText('2 things are wrong').waitFor();
    expect(routesOf(site)).toEqual(['handlers']);

    await page.getByLabel('Credential key').fill('Nonsense');
    await page.getByLabel('Role ARN').fill('file:///etc/passwd');
    await page.getByText('More options').click();
    await page.getByLabel('Duration').fill('soon');
    await page.getByLabel('Session tags').fill('a');
    await page.getByRole('button', { name: 'Preview', exact: true }).click();
    await page.getByText('must be key=value, one per line').first().waitFor();
    await page.getByLabel('Session tags').fill('');
    await page.getByText('More options').click();
    await page.getByRole('button', { name: 'Preview', exact: true }).click();
    await page.getByText('3 things are wrong').waitFor();
    expect(routesOf(site)).toEqual(['handlers', 'preview']);
    for (const [label, words] of [
      ['Credential key', 'must be'],
      ['Role ARN', 'must be the ARN of an IAM role'],
      ['Duration', 'must be a whole number of seconds'],
    ] as const) {
      const field = page.getByLabel(label);
      expect([label, await field.getAttribute('aria-invalid')]).toEqual([label, 'true']);
      const ids = (await field.getAttribute('aria-describedby'))!.split(' ');
      const described = await Promise.all(ids.map((id) => page.locator(`#${id}`).innerText()));
      expect(described.join(' ')).toContain(words);
    }
    expect(await page.getByLabel('Credential key').evaluate((field) => field.matches(':focus'))).toBe(true);
    expect(await page.getByLabel('Duration').isVisible()).toBe(true);
    await expectAccessible(page, '8 form with errors');
    await page.getByRole('button', { name: 'Role ARN' }).click();
    await page.keyboard.press('ControlOrMeta+A');
    await page.keyboard.type(role());
    expect(await page.getByLabel('Role ARN').getAttribute('aria-invalid')).toBeNull();
    await page.getByLabel('Credential key').fill('idp:aws:prod');
    await page.getByLabel('Duration').fill('900');
    await preview(operator);
    expect(await page.locator('pre').innerText()).toContain('--duration-seconds=900');
    expectQuiet(operator);
  });

  it('says where the binary is missing, and denies nothing to who insists', async () => {
    const site = await startConsole();
    site.script.missing = ['aws'];
    const run = { code: 'binary_missing', outcome: 'not_issued' };
    site.script.mint = (body) => ({
      status: 503,
      body: {
        ...run,
        message: 'aws is not on the PATH of this host, or not executable',
        hint: 'Install the AWS CLI in the control-plane image.',
        audit_run_id: body.run_id,
      },
    });
    const operator = await lab.open();
    const { page } = operator;
    await signIn(operator, site);
    await page.getByText('aws: not on the control-plane host').waitFor();
    await fillAws(operator);
    await preview(operator);
    await page.getByText('aws is not on the PATH of this host').waitFor();
    await page.getByText('Install the AWS CLI').waitFor();
    await expectAccessible(page, '9 preview without binary');
    await page.getByRole('button', { name: 'Mint it all the same' }).click();
    await page.getByRole('heading', { name: "The vendor's CLI is missing" }).waitFor();
    expect(await fact(operator, 'In the cloud')).toBe('Nothing: no credential was issued.');
    expect(await fact(operator, 'What to do')).toBe('Install the AWS CLI in the control-plane image.');
    expectQuiet(operator);
  });

  it('says what a denied mint lacks, and previews again with another run', async () => {
    const site = await startConsole();
    site.script.mint = (body) => {
      site.script.rows.set(
        body.run_id,
        rowFor(body, {
          status: 'FAILED',
          outcome: 'not_issued',
          error: { code: 'nonzero_exit', message: 'aws exited with status 254: AccessDenied' },
        }),
      );
      return {
        status: 502,
        body: {
          code: 'nonzero_exit',
          message: 'aws exited with status 254: AccessDenied <b>sts:AssumeRole</b>',
          hint: "Grant sts:AssumeRole on the role, and name the parent in the role's trust policy.",
          audit_run_id: body.run_id,
          outcome: 'not_issued',
        },
      };
    };
    const operator = await lab.open();
    const { page } = operator;
    await signIn(operator, site);
    await fillAws(operator, { role_arn: role('denied') });
    await preview(operator);
    await mint(operator);
    await page.getByRole('heading', { name: "The vendor's CLI failed" }).waitFor();
    expect(await focusedText(operator)).toBe("The vendor's CLI failed");
    await page.getByText('AccessDenied <b>sts:AssumeRole</b>').waitFor();
    expect(await fact(operator, 'What to do')).toMatch(/^Grant sts:AssumeRole/);
    expect(await fact(operator, 'Run')).toBe(site.calls.at(-1)!.body.run_id);
    await page.getByRole('button', { name: 'Show the ledger row' }).click();
    await page.getByRole('cell', { name: 'nonzero_exit: aws exited' }).waitFor();
    await expectAccessible(page, '10 failure with ledger row');
    await page.getByRole('button', { name: 'Preview again' }).click();
    await page.getByRole('heading', { name: 'Preview' }).waitFor();
    expect(new Set(site.calls.flatMap(({ body }) => body.run_id ?? [])).size).toBe(1);
    expect(await fact(operator, 'Run ID')).not.toBe(
      site.calls.find(({ route }) => route === 'sts')!.body.run_id,
    );
    expectQuiet(operator);
  });

  it('shows the verdict of the allow rules', async () => {
    const site = await startConsole();
    site.script.allow = [{ actors: ['bob@*'] }, { identities: [role('deploy')] }];
    const operator = await lab.open();
    const { page } = operator;
    await signIn(operator, site);
    await fillAws(operator);
    await preview(operator);
    expect(await fact(operator, 'Policy')).toContain('allowed by rule 1');
    await page.getByRole('button', { name: 'Back' }).click();
    await page.getByLabel('Role ARN').fill(role('admin'));
    await preview(operator);
    expect(await fact(operator, 'Policy')).toContain('denied: no allow rule covers it');
    await page.getByRole('button', { name: 'Mint it all the same' }).waitFor();
    expectQuiet(operator);
  });

  it('says what the cloud may hold after a timeout, and until when', async () => {
    const site = await startConsole();
    let live_until = '';
    site.script.mint = (body) => {
      live_until = new Date(Date.now() + 3_600_000).toISOString();
      return {
        status: 504,
        body: {
          code: 'timeout',
          message: 'aws did not finish within 60 s and was ended',
          hint: 'Run it again; if it persists, run the previewed command on the control-plane host.',
          audit_run_id: body.run_id,
          outcome: 'unknown',
          live_until,
        },
      };
    };
    const operator = await lab.open();
    await signIn(operator, site);
    await fillAws(operator, { role_arn: role('hanging') });
    await preview(operator);
    await mint(operator);
    await operator.page.getByRole('heading', { name: 'It took too long' }).waitFor();
    expect(await fact(operator, 'In the cloud')).toMatch(
      new RegExp(`^The cloud may hold a live credential until ${live_until} \\(59m \\d+s left\\)\\.$`),
    );
    expectQuiet(operator);
  });

  it('forgets a secret once it is used, whatever came of it', async () => {
    const site = await startConsole();
    site.script.mint = () => ({
      status: 409,
      body: { code: 'conflict', message: 'another mint of this key is in flight', hint: 'Wait for it.' },
    });
    const operator = await lab.open();
    const { page } = operator;
    const external_id = ['external', 'canary', Date.now()].join('-');
    await signIn(operator, site);
    await fillAws(operator, { external_id });
    const field = page.getByLabel('External ID');
    expect([await field.getAttribute('type'), await field.getAttribute('autocomplete')]).toEqual([
      'password',
      'off',
    ]);
    await preview(operator);
    await mint(operator);
    await page.getByRole('heading', { name: 'Another mint is in the way' }).waitFor();
    expect(await page.getByRole('button', { name: 'Preview again' }).count()).toBe(0);
    await page.getByRole('button', { name: 'Edit the request' }).click();
    expect([await field.inputValue(), await page.getByLabel('Role ARN').inputValue()]).toEqual(['', role()]);
    await expectNowhere(operator, [external_id]);
    expectQuiet(operator);
  });

  it('tells a controller that is away from a mint that may have run, and looks the run up', async () => {
    const site = await startConsole();
    site.script.mint = () => ({
      status: 502,
      body: {
        code: 'upstream_unavailable',
        message: 'the controller did not answer in time',
        hint: 'Look whether the controller runs.',
        outcome: 'unknown',
      },
    });
    const operator = await lab.open();
    const { page } = operator;
    await signIn(operator, site);
    await fillAws(operator);
    await preview(operator);
    await mint(operator);
    await page.getByRole('heading', { name: 'The controller does not answer' }).waitFor();
    expect(await fact(operator, 'In the cloud')).toMatch(/^The cloud may hold a live credential/);
    await page.getByRole('button', { name: 'Look the run up' }).click();
    await page.getByText('The ledger has no such run.').waitFor();
    const { body } = site.calls.find(({ route }) => route === 'sts')!;
    site.script.rows.set(body.run_id, rowFor(body, { status: 'PENDING', outcome: null }));
    await page.getByRole('button', { name: 'Refresh the ledger row' }).click();
    await page.getByRole('cell', { name: 'PENDING' }).waitFor();
    expectQuiet(operator);
  });

  it('does not know what became of a mint whose connection broke, and says so', async () => {
    const site = await startConsole();
    site.script.mint = () => undefined;
    const operator = await lab.open();
    const { page } = operator;
    await signIn(operator, site);
    await fillAws(operator);
    await preview(operator);
    await mint(operator);
    await page.getByRole('heading', { name: 'The console cannot be reached' }).waitFor();
    expect(await fact(operator, 'In the cloud')).toBe(
      'Unknown: the mint may have run. The ledger row tells.',
    );
    expect(await fact(operator, 'Run')).toBe(site.calls.at(-1)!.body.run_id);
    await page.getByRole('button', { name: 'Look the run up' }).waitFor();
    await expectAccessible(page, '11 unreachable');
    // The same run id is never minted twice, so that asking again is safe.
    const { run_id } = site.calls.at(-1)!.body;
    site.script.mint = (body) => ({ body: envelopeFor(body) });
    await page.getByRole('button', { name: 'Try the same run again' }).click();
    await page.getByRole('heading', { name: minted }).waitFor();
    expect(site.calls.at(-1)!.body).toMatchObject({ run_id, role_arn: role() });
    expectQuiet(operator);
  });

  it('keeps the form when the console is away, and goes on when it is back', async () => {
    const site = await startConsole();
    const operator = await lab.open();
    const { context, page } = operator;
    await signIn(operator, site);
    await fillAws(operator);
    await context.setOffline(true);
    await page.getByRole('button', { name: 'Preview', exact: true }).click();
    await page.getByText('Your browser is offline.').waitFor();
    await context.setOffline(false);
    await page.getByRole('button', { name: 'Preview again' }).click();
    await page.getByRole('heading', { name: 'Preview' }).waitFor();
    expect(await fact(operator, 'Credential key')).toBe('idp:aws:prod');
    site.script.instead = (route) =>
      route === 'sts' ? { status: 502, body: '<html>Bad gateway</html>' } : undefined;
    await mint(operator);
    await page.getByRole('heading', { name: 'The answer cannot be read' }).waitFor();
    expect(await fact(operator, 'In the cloud')).toMatch(/^Unknown/);
    expectQuiet(operator);
  });

  it('asks again for the providers when the first call fails', async () => {
    const site = await startConsole();
    site.script.instead = (route) =>
      route === 'handlers'
        ? {
            status: 502,
            body: { code: 'upstream_unavailable', message: 'the controller is away', hint: 'Start it.' },
          }
        : undefined;
    const operator = await lab.open();
    const { page } = operator;
    await page.goto(site.url);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByRole('button', { name: 'Sign in as' }).click();
    await page.getByRole('heading', { name: 'The controller does not answer' }).waitFor();
    site.script.instead = () => undefined;
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('heading', { name: 'What do you want to mint?' }).waitFor();
    expectQuiet(operator);
  });

  it('counts while it mints, and cancels', async () => {
    const site = await startConsole();
    site.script.mint = (body) => new Promise(() => site.script.rows.set(body.run_id, rowFor(body)));
    const operator = await lab.open();
    const { page } = operator;
    await signIn(operator, site);
    await fillAws(operator);
    await preview(operator);
    await mint(operator);
    await page.getByText(/^(?:[2-9]|[1-5]\d) s of at most 60 s$/).waitFor();
    await expectAccessible(page, '12 minting');
    expect(
      await page.locator('.spinner').evaluate((spinner) => getComputedStyle(spinner).animationName),
    ).toBe('turn');
    await page.emulateMedia({ reducedMotion: 'reduce' });
    expect(
      await page.locator('.spinner').evaluate((spinner) => getComputedStyle(spinner).animationName),
    ).toBe('none');
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('heading', { name: 'The mint was cancelled' }).waitFor();
    expect(await fact(operator, 'In the cloud')).toMatch(/^Unknown/);
    await page.getByRole('button', { name: 'Look the run up' }).click();
    await page.getByRole('table', { name: 'Ledger row' }).waitFor();
    expectQuiet(operator);
  });

  it('does not come back to a preview that was left', async () => {
    const site = await startConsole();
    const operator = await lab.open();
    const { page } = operator;
    await signIn(operator, site);
    await fillAws(operator);
    let release = () => {};
    await page.route('**/preview', async (route) => {
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      await route.continue().catch(() => {});
    });
    await page.getByRole('button', { name: 'Preview', exact: true }).click();
    await page.getByRole('button', { name: 'Previewing…' }).waitFor();
    await page.getByRole('button', { name: 'Back' }).click();
    release();
    await page.unroute('**/preview');
    await page.getByRole('button', { name: 'Continue' }).click();
    await preview(operator);
    expect(routesOf(site).filter((route) => route === 'preview').length).toBeLessThanOrEqual(2);
    expectQuiet(operator);
  });

  it('can be walked through by keyboard alone', async () => {
    const site = await startConsole();
    site.script.mint = (body) => {
      site.script.rows.set(body.run_id, rowFor(body));
      return { body: envelopeFor(body) };
    };
    const operator = await lab.open();
    const { page } = operator;
    const { keyboard } = page;
    /** Tabs on to what bears `name`; a trap would never get there. */
    const tabTo = async (name: string | RegExp) => {
      for (let step = 0; step < 40; step++) {
        await keyboard.press('Tab');
        const at = await page.evaluate(() => {
          let focused = document.activeElement;
          while (focused?.shadowRoot?.activeElement) focused = focused.shadowRoot.activeElement;
          if (!focused || focused === document.body) return { name: '', outline: '' };
          const label = (focused as HTMLInputElement).labels?.[0]?.textContent;
          const { outlineStyle } = getComputedStyle(focused.closest('.card') ?? focused);
          return {
            name: label ?? focused.getAttribute('aria-label') ?? focused.textContent ?? '',
            outline: outlineStyle,
          };
        });
        if (typeof name === 'string' ? at.name.startsWith(name) : name.test(at.name)) {
          expect([name, at.outline]).not.toEqual([name, 'none']);
          return;
        }
      }
      expect.fail(`Tab does not reach ${name}`);
    };
    await page.goto(site.url);
    await page.getByRole('heading', { name: 'Sign in to mint' }).waitFor();
    await tabTo('Sign in');
    await keyboard.press('Enter');
    await page.getByRole('button', { name: 'Sign in as' }).waitFor();
    await tabTo('Sign in as');
    await keyboard.press('Enter');
    await page.getByRole('heading', { name: 'What do you want to mint?' }).waitFor();
    await tabTo('AWS');
    await keyboard.press('ArrowDown');
    await keyboard.press('ArrowDown');
    await keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Azure' }).waitFor();
    expect(await focusedText(operator)).toMatch(/^Azure/);
    await tabTo('Back');
    await keyboard.press('Space');
    await page.getByRole('heading', { name: 'What do you want to mint?' }).waitFor();
    await tabTo('Azure');
    await keyboard.press('ArrowUp');
    await keyboard.press('ArrowUp');
    await keyboard.press('Enter');
    await page.getByRole('heading', { name: 'AWS' }).waitFor();
    await tabTo('Credential key');
    await keyboard.type('idp:aws:prod');
    await tabTo('Role ARN');
    await keyboard.type(role());
    await tabTo('More options');
    await keyboard.press('Enter');
    await tabTo('Duration');
    await keyboard.type('900');
    await keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Preview' }).waitFor();
    expect(await focusedText(operator)).toBe('Preview');
    await tabTo(/^Mint$/);
    await keyboard.press('Enter');
    await page.getByRole('heading', { name: minted }).waitFor();
    expect(await focusedText(operator)).toBe(minted);
    await tabTo('Show the ledger row');
    await keyboard.press('Enter');
    await page.getByRole('table', { name: 'Ledger row' }).waitFor();
    await tabTo('Mint another');
    await keyboard.press('Enter');
    await page.getByRole('heading', { name: 'What do you want to mint?' }).waitFor();
    await tabTo('Troubleshooting');
    await keyboard.press('Enter');
    await page.getByText('The request is not valid').waitFor();
    expectQuiet(operator);
  });

  it('fits 320 pixels in every state', async () => {
    const site = await startConsole();
    const operator = await lab.open({ viewport: { width: 320, height: 640 } });
    const { page } = operator;
    const fits = async (state: string) => {
      const [width, widest] = await page.evaluate(() => [
        document.documentElement.clientWidth,
        document.documentElement.scrollWidth,
      ]);
      expect([state, widest]).toEqual([state, width]);
      await expectAccessible(page, `320 ${state}`);
    };
    await page.goto(site.url);
    await page.getByRole('heading', { name: 'Sign in to mint' }).waitFor();
    await fits('signed out');
    await signIn(operator, site);
    await fits('start');
    await fillAws(operator, { role_arn: role('a'.repeat(60)) });
    await page.getByText('More options').click();
    await page.getByLabel('Region').fill('nowhere');
    await page.getByRole('button', { name: 'Preview', exact: true }).click();
    await page.getByText('One thing is wrong').waitFor();
    await fits('form with errors');
    await page.getByLabel('Region').fill('');
    await preview(operator);
    await fits('preview');
    await mint(operator);
    await page.getByRole('heading', { name: minted }).waitFor();
    const { body } = site.calls.at(-1)!;
    site.script.rows.set(body.run_id, rowFor(body));
    await page.getByRole('button', { name: 'Show the ledger row' }).click();
    await page.getByRole('table', { name: 'Ledger row' }).waitFor();
    await page.getByText('Troubleshooting').click();
    await fits('envelope');
    expectQuiet(operator);
  });

  it('copies the command', async () => {
    const site = await startConsole();
    const operator = await lab.open({ permissions: ['clipboard-read', 'clipboard-write'] });
    const { page } = operator;
    await signIn(operator, site);
    await fillAws(operator);
    await preview(operator);
    await page.getByRole('button', { name: 'Copy' }).click();
    await page.getByRole('button', { name: 'Copied' }).waitFor();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(
      await page.locator('pre').innerText(),
    );
    expectQuiet(operator);
  });
});
