/** Signing in, confirming, running out and signing out: the page against an issuer that can say no. */
import { expect, it } from 'vitest';
import { until } from '../support.js';
import { describeChromium, expectAccessible, expectNowhere, type Watched } from './chromium.js';
import {
  askForWindow,
  confirm,
  expectQuiet,
  fact,
  fillAws,
  mint,
  openWindow,
  preview,
  role,
  routesOf,
  signIn,
} from './operator.js';
import { type Console, startConsole } from './stub-console.js';

/** As if the operator had been away since: the token's authentication, and the issuer's session, are old. */
function growOld({ issuer, script, calls }: Console, seconds = 200): void {
  issuer.ageSessions(seconds);
  script.stale.add(calls.at(-1)!.token);
}

async function atDialog(site: Console, operator: Watched): Promise<void> {
  await signIn(operator, site);
  growOld(site);
  await fillAws(operator);
  await operator.page.getByRole('button', { name: 'Preview', exact: true }).click();
  await operator.page.getByRole('dialog', { name: 'Confirm it is you' }).waitFor();
}

describeChromium('signing in', (lab) => {
  it('says what to set where it is not configured', async () => {
    const site = await startConsole({ client_id: '' });
    const operator = await lab.open();
    await operator.page.goto(site.url);
    await operator.page.getByRole('heading', { name: 'Sign-in is not configured' }).waitFor();
    await operator.page.getByText('CLOUD_CLI_OIDC_CLIENT_ID').waitFor();
    await expectAccessible(operator.page, '13 not configured');
    expectQuiet(operator);
  });

  it('tells of a refusal, and lets try again', async () => {
    const site = await startConsole();
    const operator = await lab.open();
    const { page } = operator;
    await page.goto(site.url);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByRole('button', { name: 'Deny' }).click();
    await page.getByText('The issuer refused the sign-in: access_denied, the operator said no').waitFor();
    expect(page.url()).toBe(site.url);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByRole('button', { name: 'Sign in as' }).click();
    await page.getByRole('heading', { name: 'What do you want to mint?' }).waitFor();
    expectQuiet(operator);
  });

  it('tells of an issuer that is away', async () => {
    const site = await startConsole();
    const operator = await lab.open();
    await operator.page.goto(site.url);
    await operator.page.getByRole('button', { name: 'Sign in', exact: true }).waitFor();
    await site.issuer.close();
    await operator.page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await operator.page.getByText('The issuer cannot be reached from this page.').waitFor();
    expectQuiet(operator);
  });

  it.each([
    ['another nonce', { nonce: 'another' }, /nonce/],
    ['another audience', { aud: 'somebody-else' }, /aud/],
    ['another issuer', { iss: 'http://127.0.0.1:1' }, /iss/],
    ['an expiry in the past', { exp: 1 }, /clocks differ/],
  ])('refuses an ID token of %s', async (_what, id, words) => {
    const site = await startConsole();
    site.issuer.signIn.id = id;
    const operator = await lab.open();
    const { page } = operator;
    await page.goto(site.url);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByRole('button', { name: 'Sign in as' }).click();
    expect(await page.getByRole('alert').innerText()).toMatch(words);
    await page.getByRole('heading', { name: 'Sign in to mint' }).waitFor();
    expect(site.calls).toEqual([]);
    expectQuiet(operator);
  });

  it('takes no code that it did not ask for, and leaves none on the address', async () => {
    const site = await startConsole();
    const operator = await lab.open();
    const { page } = operator;
    for (const answer of ['code=stolen&state=forged', 'error=access_denied&state=forged']) {
      await page.goto(`${site.url}?${answer}`);
      await page.getByRole('heading', { name: 'You can close this window' }).waitFor();
      expect(page.url()).toBe(site.url);
    }
    expect(site.issuer.calls).not.toContain('/token');
    await page.getByRole('link', { name: 'Open the console here' }).click();
    await page.getByRole('button', { name: 'Sign in', exact: true }).waitFor();
    expectQuiet(operator);
  });

  it('keeps nothing of a sign-in once it is over', async () => {
    const site = await startConsole();
    const operator = await lab.open();
    const { page } = operator;
    await page.goto(site.url);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByRole('button', { name: 'Sign in as' }).click();
    await page.getByRole('heading', { name: 'What do you want to mint?' }).waitFor();
    const stored = await page.evaluate(() => [localStorage.length, sessionStorage.length, document.cookie]);
    expect(stored).toEqual([0, 0, '']);
    await expectNowhere(operator, site.issuer.signIn.tokens);
    await page.reload();
    await page.getByRole('heading', { name: 'Sign in to mint' }).waitFor();
    expectQuiet(operator);
  });

  it('signs out here and at the issuer', async () => {
    const site = await startConsole();
    const operator = await lab.open();
    const { page } = operator;
    await signIn(operator, site);
    await page.getByRole('button', { name: 'Sign out' }).click();
    // The page is signed out before it leaves for the issuer.
    await until(() => site.issuer.calls.includes('/logout'));
    await page.waitForURL(site.url);
    await page.getByRole('heading', { name: 'Sign in to mint' }).waitFor();
    expect(site.issuer.signIn.sessions.size).toBe(0);
    expectQuiet(operator);
  });
});

describeChromium('confirming', (lab) => {
  it('does it in a window while the form stays, even where the issuer cuts the window off', async () => {
    const site = await startConsole();
    site.issuer.signIn.page = { 'cross-origin-opener-policy': 'same-origin' };
    const operator = await lab.open();
    await atDialog(site, operator);
    await confirm(operator);
    await operator.page.getByRole('heading', { name: 'Preview' }).waitFor();
    expect(await fact(operator, 'Identity')).toBe(role());
    expect(routesOf(site)).toEqual(['handlers', 'preview', 'preview']);
    expectQuiet(operator);
  });

  it('asks the issuer for what the challenge names, with PKCE and no token on the address', async () => {
    const site = await startConsole();
    const operator = await lab.open();
    const { page, addresses } = operator;
    await signIn(operator, site);
    await fillAws(operator);
    site.issuer.ageSessions(200);
    site.script.instead = (route) =>
      route === 'preview'
        ? {
            status: 401,
            headers: {
              'www-authenticate':
                'DPoP algs="ES256", Bearer error="insufficient_user_authentication", acr_values="phr mfa", max_age=60',
            },
            body: { code: 'insufficient_user_authentication', message: 'too old', hint: 'Authenticate.' },
          }
        : undefined;
    await page.getByRole('button', { name: 'Preview', exact: true }).click();
    await page.getByText('Minting needs a sign-in of the last 60 seconds, and yours is older.').waitFor();
    site.script.instead = () => undefined;
    await confirm(operator);
    await page.getByRole('heading', { name: 'Preview' }).waitFor();
    const asked = addresses
      .map((address) => new URL(address))
      .filter(({ pathname }) => pathname === '/authorize');
    const [before, after] = [asked[0]!.searchParams, asked.at(-1)!.searchParams];
    for (const query of [before, after]) {
      expect(Object.fromEntries(query)).toMatchObject({
        response_type: 'code',
        client_id: 'console',
        scope: 'openid admin:cluster',
        code_challenge_method: 'S256',
        redirect_uri: site.url,
        state: expect.stringMatching(/^[\w-]{40,}$/),
        nonce: expect.stringMatching(/^[\w-]{40,}$/),
        code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      });
      expect([...query.keys()].filter((name) => /token|verifier|secret/.test(name))).toEqual([]);
    }
    expect([before.has('max_age'), after.get('max_age'), after.get('acr_values')]).toEqual([
      false,
      '60',
      'phr mfa',
    ]);
    expect(before.get('state')).not.toBe(after.get('state'));
    expectQuiet(operator);
  });

  it('is refused by who cancels, and asks again with the next call', async () => {
    const site = await startConsole();
    const operator = await lab.open();
    const { page } = operator;
    await atDialog(site, operator);
    await page.keyboard.press('Escape');
    await page.getByRole('heading', { name: 'It was not confirmed that it is you' }).waitFor();
    await page.getByText('You cancelled the sign-in.').waitFor();
    await expectAccessible(page, '14 not confirmed');
    await page.getByRole('button', { name: 'Preview again' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'Preview again' }).click();
    await confirm(operator);
    await page.getByRole('heading', { name: 'Preview' }).waitFor();
    expectQuiet(operator);
  });

  it('cannot mint without it: nothing was issued', async () => {
    const site = await startConsole();
    const operator = await lab.open();
    const { page } = operator;
    await signIn(operator, site);
    await fillAws(operator);
    await preview(operator);
    growOld(site);
    await mint(operator);
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('heading', { name: 'It was not confirmed that it is you' }).waitFor();
    expect(await fact(operator, 'In the cloud')).toBe('Nothing: no credential was issued.');
    expectQuiet(operator);
  });

  it('says when its window was closed, and opens another', async () => {
    const site = await startConsole();
    const operator = await lab.open();
    const { page } = operator;
    await atDialog(site, operator);
    const popup = await openWindow(operator);
    await popup.close();
    await page.getByText('The window was closed. If you have not finished, open it again.').waitFor();
    await expectAccessible(page, '15 dialog with closed window');
    const again = await openWindow(operator, 'Open the window again');
    await again.getByRole('button', { name: 'Sign in as' }).click();
    await page.getByRole('heading', { name: 'Preview' }).waitFor();
    expectQuiet(operator);
  });

  it('says when the browser blocks its window', async () => {
    const site = await startConsole();
    const operator = await lab.open();
    const { page } = operator;
    await page.addInitScript(() => {
      const open = window.open.bind(window);
      let blocked = true;
      window.open = (...rest) => {
        if (!blocked) return open(...rest);
        blocked = false;
        return null;
      };
    });
    await atDialog(site, operator);
    await askForWindow(operator);
    await page.getByText('The browser blocked the window: allow pop-ups for this page').waitFor();
    const popup = await openWindow(operator, 'Open the window again');
    await popup.getByRole('button', { name: 'Sign in as' }).click();
    await page.getByRole('heading', { name: 'Preview' }).waitFor();
    expectQuiet(operator);
  });

  it('tells what the issuer refused, and lets try again', async () => {
    const site = await startConsole();
    const operator = await lab.open();
    const { page } = operator;
    await atDialog(site, operator);
    const popup = await openWindow(operator);
    await popup.getByRole('button', { name: 'Deny' }).click();
    await page.getByText('The issuer refused the sign-in: access_denied').waitFor();
    const again = await openWindow(operator, 'Try again');
    await again.getByRole('button', { name: 'Sign in as' }).click();
    await page.getByRole('heading', { name: 'Preview' }).waitFor();
    expectQuiet(operator);
  });

  it('lets nobody else mint what is on the screen', async () => {
    const site = await startConsole();
    const operator = await lab.open();
    const { page } = operator;
    await atDialog(site, operator);
    site.issuer.signIn.subject = 'bob@example.com';
    const popup = await openWindow(operator);
    await popup.getByRole('button', { name: 'Sign in as bob' }).click();
    await page.getByText("You signed in as bob, but this page is alice's: sign out first.").waitFor();
    expect(routesOf(site)).toEqual(['handlers', 'preview']);
    expectQuiet(operator);
  });

  it('believes no issuer that did not authenticate again', async () => {
    const site = await startConsole();
    const operator = await lab.open();
    const { page } = operator;
    await atDialog(site, operator);
    site.issuer.signIn.id = { auth_time: Math.floor(Date.now() / 1000) - 600 };
    const popup = await openWindow(operator);
    await popup.getByRole('button', { name: 'Sign in as' }).click();
    await page.getByText('The issuer did not authenticate you again, or the clocks differ.').waitFor();
    expectQuiet(operator);
  });

  it('says so when the API still wants more, and asks no further', async () => {
    const site = await startConsole();
    const operator = await lab.open();
    const { page } = operator;
    await atDialog(site, operator);
    const { instead } = site.script;
    site.script.instead = (route, body) => {
      if (route !== 'preview') return instead(route, body);
      return {
        status: 401,
        headers: { 'www-authenticate': 'Bearer error="insufficient_user_authentication", max_age="180"' },
        body: { code: 'insufficient_user_authentication', message: 'still too old', hint: 'Authenticate.' },
      };
    };
    await confirm(operator);
    await page.getByRole('heading', { name: 'Your sign-in is too old for this' }).waitFor();
    expect(await page.getByRole('dialog').count()).toBe(0);
    expectQuiet(operator);
  });

  it('signs in again when the token has run out, without losing the form', async () => {
    const site = await startConsole();
    const operator = await lab.open();
    const { context, page } = operator;
    await signIn(operator, site);
    await fillAws(operator);
    site.script.refused.add(site.calls.at(-1)!.token);
    await page.getByRole('button', { name: 'Preview', exact: true }).click();
    await page.getByRole('dialog', { name: 'Sign in again' }).waitFor();
    await page.getByText('Your sign-in has expired. What you have typed stays here.').waitFor();
    // The issuer's own session is still there, so that its window comes back by itself.
    const opened = context.waitForEvent('page');
    await askForWindow(operator);
    await opened;
    await page.getByRole('heading', { name: 'Preview' }).waitFor();
    expect(await fact(operator, 'Identity')).toBe(role());
    await expectNowhere(operator, site.issuer.signIn.tokens);
    expectQuiet(operator);
  });
});

describeChromium('the policy of the page', (lab) => {
  it('lets no foreign script, style, connection or frame in', async () => {
    const site = await startConsole();
    const { page, complaints } = await lab.open();
    await page.goto(site.url);
    await page.evaluate(async () => {
      const script = document.createElement('script');
      script.append('globalThis.injected = true');
      const frame = document.createElement('iframe');
      frame.src = 'http://127.0.0.1:1/';
      document.body.append(script, frame);
      document.body.setAttribute('style', 'color: red');
      await fetch('http://127.0.0.1:1/').catch(() => {});
    });
    await expect(
      page.evaluate(() => {
        document.body.innerHTML = '<p>written</p>';
      }),
    ).rejects.toThrow(/TrustedHTML/);
    expect(await page.evaluate(() => 'injected' in globalThis)).toBe(false);
    const broken = complaints
      .filter((words) => words.startsWith('policy: '))
      .map((words) => words.split(' ')[1]);
    expect(broken).toEqual(
      expect.arrayContaining(['require-trusted-types-for', 'style-src-attr', 'connect-src', 'frame-src']),
    );
  });

  it('lets itself not be framed', async () => {
    const site = await startConsole();
    const { page } = await lab.open();
    await page.route('**/framing', (route) =>
      route.fulfill({ contentType: 'text/html', body: `<iframe src="${site.url}"></iframe>` }),
    );
    await page.goto(`${site.origin}/framing`);
    const frame = page.frames().find((one) => one !== page.mainFrame())!;
    expect(await frame.locator('#place').count()).toBe(0);
  });
});
