/** Signing in by OpenID Connect: the code flow with PKCE, for a page that keeps its token in memory alone. */
import * as oauth from 'oauth4webapi';
import type { StepUp } from '../../challenge.js';

/** One sign-in under way: what must come back, and the verifier that only this page has. */
export interface Attempt {
  state: string;
  nonce: string;
  code_verifier: string;
  max_age?: number;
}

/** Who is signed in. */
export interface Session {
  token: string;
  subject: string;
  name: string;
}

export interface SignIn {
  /** The address at the issuer to go to, and the attempt that `finish` needs. */
  begin(asked?: StepUp): Promise<{ url: string; attempt: Attempt }>;
  /** @throws Error with words for a person */
  finish(answer: URLSearchParams, attempt: Attempt): Promise<Session>;
  /** Where to go to end the issuer's own session; undefined when it offers no such thing. */
  signOutUrl(): Promise<string | undefined>;
}

/** `redirect_uri` is the page's own address, which the issuer must know. */
export function signInAt(issuer: string, client_id: string, redirect_uri: string): SignIn {
  const client: oauth.Client = { client_id };
  const insecure = { [oauth.allowInsecureRequests]: isLoopback(issuer) };
  let discovered: Promise<oauth.AuthorizationServer> | undefined;

  async function discover(): Promise<oauth.AuthorizationServer> {
    const url = new URL(issuer);
    return oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, insecure));
  }
  /** A discovery that failed is tried again with the next sign-in. */
  async function server(): Promise<oauth.AuthorizationServer> {
    discovered ??= discover();
    try {
      return await discovered;
    } catch (error) {
      discovered = undefined;
      throw error;
    }
  }

  return {
    begin: (asked = {}) =>
      inWords(async () => {
        const attempt: Attempt = {
          state: oauth.generateRandomState(),
          nonce: oauth.generateRandomNonce(),
          code_verifier: oauth.generateRandomCodeVerifier(),
          ...(asked.max_age === undefined ? {} : { max_age: asked.max_age }),
        };
        const url = addressOf((await server()).authorization_endpoint, issuer);
        const parameters = {
          client_id,
          redirect_uri,
          response_type: 'code',
          scope: 'openid admin:cluster',
          state: attempt.state,
          nonce: attempt.nonce,
          code_challenge: await oauth.calculatePKCECodeChallenge(attempt.code_verifier),
          code_challenge_method: 'S256',
          ...(asked.max_age === undefined ? {} : { max_age: `${asked.max_age}` }),
          ...(asked.acr_values === undefined ? {} : { acr_values: asked.acr_values }),
        };
        for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
        return { url: url.href, attempt };
      }),

    finish: (answer, { state, nonce, code_verifier, max_age }) =>
      inWords(async () => {
        const known = await server();
        const response = await oauth.authorizationCodeGrantRequest(
          known,
          client,
          oauth.None(),
          oauth.validateAuthResponse(known, client, answer, state),
          redirect_uri,
          code_verifier,
          insecure,
        );
        const tokens = await oauth.processAuthorizationCodeResponse(known, client, response, {
          expectedNonce: nonce,
          requireIdToken: true,
          ...(max_age === undefined ? {} : { maxAge: max_age }),
        });
        const claims = oauth.getValidatedIdTokenClaims(tokens)!;
        return { token: tokens.access_token, subject: claims.sub, name: nameIn(claims) };
      }),

    signOutUrl: async () => {
      const { end_session_endpoint } = await server();
      if (end_session_endpoint === undefined) return undefined;
      const url = addressOf(end_session_endpoint, issuer);
      url.searchParams.set('client_id', client_id);
      url.searchParams.set('post_logout_redirect_uri', redirect_uri);
      return url.href;
    },
  };
}

export function isLoopback(url: string): boolean {
  return URL.canParse(url) && ['127.0.0.1', '[::1]', 'localhost'].includes(new URL(url).hostname);
}

/** A page must not be sent to a `javascript:` address, nor over a wire that can be read. */
function addressOf(endpoint: string | undefined, issuer: string): URL {
  const url = new URL(endpoint ?? '');
  if (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(issuer) && isLoopback(url.href)))
    return url;
  throw new Error('The issuer names an address that is not https.');
}

function nameIn(claims: oauth.IDToken): string {
  const names = [claims.name, claims.preferred_username, claims.email];
  return names.find((name): name is string => typeof name === 'string' && name !== '') ?? claims.sub;
}

async function inWords<T>(step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    throw new Error(wordsOf(error));
  }
}

function wordsOf(error: unknown): string {
  if (error instanceof oauth.AuthorizationResponseError || error instanceof oauth.ResponseBodyError) {
    const said = error.error_description ? `${error.error}, ${error.error_description}` : error.error;
    return `The issuer refused the sign-in: ${said}`;
  }
  if (error instanceof oauth.OperationProcessingError)
    return error.code === oauth.JWT_TIMESTAMP_CHECK
      ? 'The issuer did not authenticate you again, or the clocks differ.'
      : `The answer of the issuer does not fit: ${error.message}`;
  if (error instanceof TypeError) return 'The issuer cannot be reached from this page.';
  return error instanceof Error ? error.message : 'The sign-in failed.';
}
