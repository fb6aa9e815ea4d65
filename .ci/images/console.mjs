/** The admin side's page after a real mint, in a real Chromium, signed in at an issuer on loopback. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { audience, startIssuer } from '../../fixtures/loopback/issuer.mjs';
import { freshHome, root } from './home.mjs';

const route = '/admin/settings/credentials/cloud-cli/';

/** @returns {Promise<Uint8Array>} a PNG */
export async function photographConsole() {
  const home = freshHome();
  const issuer = await startIssuer();
  const trust = {
    CLOUD_CLI_JWT_ISSUER: issuer.url,
    CLOUD_CLI_JWT_AUDIENCE: audience,
    CLOUD_CLI_JWKS_URL: issuer.jwks_url,
  };
  const controller = serve(['controller', '--allow-all'], { ...home.env, ...trust });
  const started = [controller];
  try {
    const CLOUD_CLI_CONTROLLER_URL = await controller.url;
    const env = {
      ...trust,
      HOME: home.env.HOME,
      PATH: '',
      CLOUD_CLI_CONTROLLER_URL,
      CLOUD_CLI_OIDC_CLIENT_ID: 'console',
    };
    const admin = serve(['admin'], env);
    started.push(admin);
    const address = new URL(route, await admin.url).href;
    issuer.signIn.clients.set('console', [address]);
    return await mintAndPhotograph(address);
  } finally {
    for (const { child } of started) child.kill('SIGKILL');
    await issuer.close();
    home.remove();
  }
}

function serve(args, env) {
  const command = [join(root, 'bin', 'cloud-cli.js'), 'serve', ...args, '--port', '0'];
  const child = spawn(process.execPath, command, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  const url = new Promise((resolve, reject) => {
    child.stderr.on('data', (chunk) => {
      said += chunk;
      const listening = /listening on (\S+)/.exec(said)?.[1];
      if (listening) resolve(listening);
    });
    child.once('close', () => reject(new Error(said)));
  });
  return { child, url };
}

async function mintAndPhotograph(address) {
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--no-proxy-server',
      '--disable-background-networking',
      '--font-render-hinting=none',
    ],
  });
  try {
    // 1200 pixels wide, as a page of 840 is on a sharp screen.
    const page = await browser.newPage({
      viewport: { width: 840, height: 800 },
      deviceScaleFactor: 1200 / 840,
      colorScheme: 'light',
    });
    await page.goto(address);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByRole('button', { name: 'Sign in as' }).click();
    await page.getByLabel('AWS: assume a role').check();
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByLabel('Credential key').fill('idp:aws:prod');
    await page.getByLabel('Role ARN').fill('arn:aws:iam::123456789012:role/deploy');
    await page.getByRole('button', { name: 'Preview', exact: true }).click();
    await page.getByRole('heading', { name: 'Preview' }).waitFor();
    await page.getByRole('button', { name: 'Mint', exact: true }).click();
    await page.getByRole('heading', { name: 'Minted' }).waitFor();
    const { y, height } = await page.getByText('Troubleshooting').boundingBox();
    return await page.screenshot({
      clip: { x: 0, y: 0, width: 840, height: Math.ceil(y + height + 24) },
      animations: 'disabled',
    });
  } finally {
    await browser.close();
  }
}
