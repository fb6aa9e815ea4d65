/** The console's page: its document, its Content Security Policy and its few files. */
import { readFile } from 'node:fs/promises';

export interface PageOptions {
  /** The path below which the API is, such as `/admin/settings/credentials/cloud-cli`. */
  base: string;
  issuer?: string | undefined;
  /** Under which the issuer knows the page; without it the page says that sign-in is not configured. */
  client_id?: string | undefined;
}

export function renderPage({ base, issuer = '', client_id = '' }: PageOptions): string {
  const path = escaped(base.replace(/\/+$/, ''));
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>Cloud credentials</title>
<link rel="icon" type="image/svg+xml" href="${path}/assets/icon.svg">
<link rel="stylesheet" href="${path}/assets/page.css">
<script type="module" src="${path}/assets/page.js"></script>
</head>
<body data-base="${path}" data-issuer="${escaped(issuer)}" data-client-id="${escaped(client_id)}">
<header class="bar"><div>
<span class="product"><img src="${path}/assets/icon.svg" alt="" width="24" height="24">cloud-cli</span>
<div id="operator"></div>
</div></header>
<main>
<p class="where">Settings / Credentials</p>
<h1>Cloud credentials</h1>
<p class="lead">Mint a short-lived credential on the control plane. It is recorded first, kept in the store, and never shown here.</p>
<div id="place"><noscript>This page needs JavaScript. Without it, use the <code>cloud-cli</code> command.</noscript></div>
</main>
</body>
</html>
`;
}

/** Its own files, the API and the issuer: all that the page needs. Nothing may frame it, nor write HTML into it. */
export function contentSecurityPolicy(issuer?: string): string {
  const connect = issuer && URL.canParse(issuer) ? `'self' ${new URL(issuer).origin}` : "'self'";
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    `connect-src ${connect}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ');
}

const assets: ReadonlyMap<string, string> = new Map([
  ['page.js', 'text/javascript; charset=utf-8'],
  ['page.css', 'text/css; charset=utf-8'],
  ['icon.svg', 'image/svg+xml'],
]);

/** A file of the page, by a closed list of names: no path is ever made of what a client sent. */
export async function readAsset(name: string): Promise<{ type: string; body: Uint8Array } | undefined> {
  // From src/ and dist/ alike, the built files are what is served.
  for (const [known, type] of assets)
    if (known === name)
      return { type, body: await readFile(new URL(`../../dist/browser/${known}`, import.meta.url)) };
  return undefined;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
