/** Every way to fail in a few words: what it is called, why it happens, what mends it. */
import type { ErrorCode } from '../../errors.js';

interface Words {
  title: string;
  cause: string;
  fix: string;
}

/** What a ledger row, HTTP or this browser can fail with besides. */
type OtherCode =
  | 'abandoned'
  | 'invalid_token'
  | 'insufficient_user_authentication'
  | 'insufficient_scope'
  | 'forbidden_origin'
  | 'misdirected_request'
  | 'method_not_allowed'
  | 'payload_too_large'
  | 'unsupported_media_type'
  | 'rate_limited'
  | 'upstream_unavailable'
  | 'unreachable'
  | 'unexpected_answer'
  | 'not_confirmed';

export const codes: Readonly<Record<ErrorCode | OtherCode, Words>> = {
  invalid_request: {
    title: 'The request is not valid',
    cause: 'A field is missing, is not known, or has a value that the provider does not take.',
    fix: 'Correct the fields that the messages name.',
  },
  policy_denied: {
    title: 'No allow rule covers this',
    cause: 'The control plane has allow rules, and none covers this request for you.',
    fix: 'Ask for less, such as another identity or a shorter lifetime, or have an allow rule added.',
  },
  binary_missing: {
    title: "The vendor's CLI is missing",
    cause: "The CLI is not on the control-plane host's PATH, or not executable.",
    fix: 'Install it in the control-plane image, or look there with `which aws`, `which gcloud` or `which az`.',
  },
  nonzero_exit: {
    title: "The vendor's CLI failed",
    cause: 'The parent credential is missing, expired or lacks the permission.',
    fix: 'Log the parent in again, or grant what the message names: sts:AssumeRole on the role and its trust policy; iam.serviceAccounts.getAccessToken; or a principal that can get tokens for the resource.',
  },
  parse_error: {
    title: "The vendor's CLI answered something else",
    cause: 'It ended well, but with another shape, identity or expiry than a credential for whom you asked.',
    fix: "Compare with the vendor's documented output, and report it if the format changed.",
  },
  timeout: {
    title: 'It took too long',
    cause: 'The network, or a trust policy that is stuck; the whole process group was ended.',
    fix: 'Run it again; if it persists, run the previewed command on the control-plane host.',
  },
  persist_failed: {
    title: 'The credential could not be kept',
    cause: 'No writable store is configured, or it refused.',
    fix: 'Configure a store that can write, or give `mint` a `persist` hook.',
  },
  audit_unavailable: {
    title: 'The ledger refused the row',
    cause: 'Nothing is minted that cannot be recorded first.',
    fix: 'Mend the ledger on the control-plane host, then run it again.',
  },
  conflict: {
    title: 'Another mint is in the way',
    cause: 'This run ID is spent or in flight, or another mint of this credential key is.',
    fix: 'Wait for the other mint, then preview again: each preview has a run ID of its own.',
  },
  not_found: {
    title: 'There is no such thing',
    cause: 'No credential or run is known by that name.',
    fix: 'Check it. A run that never reached the control plane has no ledger row.',
  },
  expired: {
    title: 'The stored credential has expired',
    cause: 'It is past its expiry.',
    fix: 'Mint it again.',
  },
  abandoned: {
    title: 'The run was abandoned',
    cause: 'Its process was gone before it had ended: the control plane stopped or crashed.',
    fix: 'Mint again; until the time that the row names, the cloud may hold a credential of that run.',
  },
  cancelled: {
    title: 'The mint was cancelled',
    cause: 'You cancelled it, or the connection went away.',
    fix: 'Mint again when you want a credential.',
  },
  internal: {
    title: 'Something broke on the control plane',
    cause: 'A defect in cloud-cli.',
    fix: 'Please report it, with the run ID.',
  },
  invalid_token: {
    title: 'You are not signed in',
    cause: 'Your sign-in has expired, or its token is not for this control plane.',
    fix: 'Sign in again.',
  },
  insufficient_user_authentication: {
    title: 'Your sign-in is too old for this',
    cause: 'Previews and mints need a recent authentication.',
    fix: 'Confirm that it is you when asked, or sign in again.',
  },
  insufficient_scope: {
    title: 'You may not do this',
    cause: 'Your sign-in does not carry the scope admin:cluster.',
    fix: 'Have an administrator grant it to you, then sign in again.',
  },
  forbidden_origin: {
    title: 'This page may not call the control plane',
    cause: 'The call came from another origin than the console.',
    fix: "Open the console at its own address, or have this page's origin allowed.",
  },
  misdirected_request: {
    title: 'The console is not known by this name',
    cause: 'The address in your browser is not one that the console answers to.',
    fix: 'Open the console at the address that its administrator gave you.',
  },
  method_not_allowed: {
    title: 'The control plane does not take this call',
    cause: 'This page and the control plane are of different versions.',
    fix: 'Reload the page; if it persists, update both to the same version.',
  },
  payload_too_large: {
    title: 'The request is too large',
    cause: 'It is larger than 16 KiB.',
    fix: 'Shorten the longest fields, such as the session policy or the tags.',
  },
  unsupported_media_type: {
    title: 'The request did not arrive as JSON',
    cause: 'This page and the control plane are of different versions, or a proxy changed the request.',
    fix: 'Reload the page; if it persists, check the proxy.',
  },
  rate_limited: {
    title: 'Too many mints at once',
    cause: 'The control plane runs as many as it may.',
    fix: 'Wait a moment, then try again.',
  },
  upstream_unavailable: {
    title: 'The controller does not answer',
    cause: 'The console is up, but the controller behind it is not, or is not reachable.',
    fix: 'Look whether the controller runs and whether the console can reach it; then look the run up.',
  },
  unreachable: {
    title: 'The console cannot be reached',
    cause: 'Your browser is offline, or the console is down.',
    fix: 'Check your connection, then try again.',
  },
  unexpected_answer: {
    title: 'The answer cannot be read',
    cause: 'Something between this page and the control plane answered in its place, such as a proxy.',
    fix: 'Try again; if it persists, look into the logs of the proxy.',
  },
  not_confirmed: {
    title: 'It was not confirmed that it is you',
    cause: 'The sign-in was cancelled or did not succeed.',
    fix: 'Try again, and finish the sign-in.',
  },
};

export type Code = keyof typeof codes;

export function isCode(code: string): code is Code {
  return Object.hasOwn(codes, code);
}
