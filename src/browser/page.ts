/** The console's page: signs the operator in, keeps the token in memory, and lets the wizard use it. */
import { parseChallenges, type StepUp } from '../challenge.js';
import { createApiFetch } from './api-fetch.js';
import { keepAttempt, takeAttempt } from './page/attempt.js';
import { confirm } from './page/confirm.js';
import { handOver } from './page/popup.js';
import { isLoopback, type Session, type SignIn, signInAt } from './page/sign-in.js';
import { button, make, mark } from './wizard/make.js';
import { CredentialWizard, wizardName } from './wizard.js';

const { base = '', issuer = '', clientId = '' } = document.body.dataset;
const home = new URL(`${base}/`, location.origin).href;
const place = document.getElementById('place')!;
const operator = document.getElementById('operator')!;
let session: Session | undefined;

customElements.define(wizardName, CredentialWizard);
void start();

async function start(): Promise<void> {
  const answer = new URLSearchParams(location.search);
  const returned = answer.has('state') && (answer.has('code') || answer.has('error'));
  if (returned) history.replaceState(null, '', home);
  const problem = configurationProblem();
  if (problem) return void place.replaceChildren(problem);
  const signIn = signInAt(issuer, clientId, home);
  const attempt = takeAttempt();
  if (!returned) return signedOut(signIn);
  if (attempt?.state !== answer.get('state')) return finishWindow(answer);
  waiting('Signing in…');
  try {
    session = await signIn.finish(answer, attempt!);
    signedIn(signIn);
  } catch (error) {
    signedOut(signIn, (error as Error).message);
  }
}

function configurationProblem(): HTMLElement | undefined {
  if (clientId === '' || issuer === '')
    return notice(
      'Sign-in is not configured',
      'Set CLOUD_CLI_OIDC_CLIENT_ID on the console to the id under which the issuer knows this page, and start it again.',
    );
  if (!isSecureContext)
    return notice(
      'This page must be opened over https',
      'Browsers sign in safely on https addresses and on this machine alone. Put a proxy that speaks TLS in front of the console.',
    );
  if (!issuer.startsWith('https:') && !isLoopback(issuer))
    return notice(
      'Sign-in is not configured safely',
      'The issuer must be an https address: set CLOUD_CLI_JWT_ISSUER.',
    );
  return undefined;
}

function notice(title: string, words: string): HTMLElement {
  return make('section', { class: 'panel' }, make('h2', {}, title), make('p', {}, words));
}

/** In the window of a step-up. */
async function finishWindow(answer: URLSearchParams): Promise<void> {
  waiting('Finishing the sign-in…');
  if (await handOver(answer)) window.close();
  place.replaceChildren(
    make(
      'section',
      { class: 'panel' },
      make('h2', {}, 'You can close this window'),
      make(
        'p',
        {},
        'The sign-in belongs to another window. ',
        make('a', { href: home }, 'Open the console here'),
      ),
    ),
  );
}

function waiting(words: string): void {
  place.replaceChildren(
    make(
      'section',
      { class: 'panel waiting', role: 'status' },
      make('span', { class: 'spinner', 'aria-hidden': 'true' }),
      make('p', {}, words),
    ),
  );
}

function signedOut(signIn: SignIn, problem?: string): void {
  session = undefined;
  operator.replaceChildren();
  const note = make('p', { role: 'alert', class: 'note' }, problem !== undefined && mark('bad', problem));
  const go = button(
    'Sign in',
    async () => {
      go.setAttribute('aria-disabled', 'true');
      try {
        const { url, attempt } = await signIn.begin();
        keepAttempt(attempt);
        location.assign(url);
      } catch (error) {
        go.removeAttribute('aria-disabled');
        note.replaceChildren(mark('bad', (error as Error).message));
      }
    },
    'primary',
  );
  place.replaceChildren(
    make(
      'section',
      { class: 'panel' },
      make('h2', {}, 'Sign in to mint'),
      make(
        'p',
        {},
        `You sign in at ${new URL(issuer).host}. Your session stays in this page, and ends when you reload it.`,
      ),
      note,
      make('div', { class: 'actions' }, go),
    ),
  );
}

function signedIn(signIn: SignIn): void {
  operator.replaceChildren(
    make(
      'span',
      { class: 'name' },
      make('span', { class: 'visually-hidden' }, 'Signed in as '),
      session!.name,
    ),
    button('Sign out', () => void signOut(signIn)),
  );
  const wizard = document.createElement(wizardName);
  wizard.base = base;
  wizard.fetch = signedFetch(signIn);
  place.replaceChildren(wizard);
}

async function signOut(signIn: SignIn): Promise<void> {
  signedOut(signIn);
  const url = await signIn.signOutUrl().catch(() => undefined);
  if (url !== undefined) location.assign(url);
}

/** `createApiFetch`, and a new sign-in in the same way where the token has run out. */
function signedFetch(signIn: SignIn): typeof fetch {
  let dialogs: Promise<unknown> = Promise.resolve();
  /** One dialog at a time. */
  const again = (title: string, why: string, asked?: StepUp) => {
    const next = dialogs.then(() => authenticate(signIn, title, why, asked));
    dialogs = next.catch(() => {});
    return next;
  };
  const apiFetch = createApiFetch({
    getAccessToken: () => session?.token,
    stepUp: (asked) => again('Confirm it is you', reasonOf(asked), asked),
  });
  let renewal: Promise<void> | undefined;

  return async (input, init) => {
    const request = new Request(input, init);
    const { token } = session ?? {};
    const response = await apiFetch(request.clone());
    if (!isTokenRefused(response)) return response;
    await response.body?.cancel().catch(() => {});
    if (session?.token === token) {
      renewal ??= again('Sign in again', 'Your sign-in has expired. What you have typed stays here.').finally(
        () => {
          renewal = undefined;
        },
      );
      await renewal;
    }
    return apiFetch(request);
  };
}

async function authenticate(signIn: SignIn, title: string, why: string, asked?: StepUp): Promise<void> {
  const before = session;
  const next = await confirm({
    title,
    why,
    begin: () => signIn.begin(asked),
    finish: async (answer, attempt) => {
      const found = await signIn.finish(answer, attempt);
      // What is on the screen was asked for in somebody's name, and must not be minted in another's.
      if (found.subject !== before?.subject)
        throw new Error(
          `You signed in as ${found.name}, but this page is ${before?.name}'s: sign out first.`,
        );
      return found;
    },
  });
  if (session === undefined) throw new Error('You have signed out.');
  session = next;
}

function reasonOf({ max_age }: StepUp): string {
  const wanted =
    max_age === undefined
      ? 'a stronger sign-in than yours'
      : `a sign-in of the last ${span(max_age)}, and yours is older`;
  return `Minting needs ${wanted}. What you have typed stays here.`;
}

function span(seconds: number): string {
  return seconds >= 120 && seconds % 60 === 0 ? `${seconds / 60} minutes` : `${seconds} seconds`;
}

function isTokenRefused(response: Response): boolean {
  return (
    response.status === 401 &&
    parseChallenges(response.headers.get('www-authenticate')).some(
      ({ scheme, params }) => scheme === 'bearer' && params.get('error') === 'invalid_token',
    )
  );
}
