/** Where a checkpoint is published: a file that gets one line more, or a URL that is sent it. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { CloudCliError, invalidRequest } from '../errors.js';
import { joined } from '../joined.js';

/** Publishes one line. It rejects with `audit_unavailable`, or for any reason once `signal` has aborted. */
export type Publish = (line: string, signal?: AbortSignal) => Promise<void>;

const deadlineMs = 10_000;
/** How long before each further attempt to send it. */
const pausesMs = [500, 2000];

/** A file, or a URL with https, or http to this host. @throws CloudCliError `invalid_request` for another URL */
export function destinationOf(to: string): Publish {
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(to)) return (line) => append(to, line);
  const url = URL.canParse(to) ? new URL(to) : undefined;
  const isLoopback = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(url?.hostname ?? '');
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback);
  if (url && isSafe && url.username === '' && url.password === '')
    return (line, signal) => send(url, line, signal);
  throw invalidRequest(
    [{ field: 'to', message: 'must be a file, or a URL with https and without user and password' }],
    'Name a file, https://HOST/PATH, or - for the standard output. Plain http is for a server on this host.',
  );
}

/** Appended, never replaced: the file is the history of the chain, and may be append-only to the system too (chattr +a). */
async function append(file: string, line: string): Promise<void> {
  try {
    const handle = await open(file, constants.O_RDWR | constants.O_APPEND | constants.O_CREAT, 0o644);
    try {
      const stat = await handle.stat();
      const last = Buffer.from('\n');
      if (stat.isFile() && stat.size > 0) await handle.read(last, 0, 1, stat.size - 1);
      // A full disk may have torn the line before: it must not tear this one too.
      await handle.appendFile(`${last.toString() === '\n' ? '' : '\n'}${line}\n`);
      if (stat.isFile()) await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw unpublished(
      `${file} cannot be written (${code})`,
      'Check its directory, owner, mode and free space.',
    );
  }
}

async function send(url: URL, line: string, signal?: AbortSignal): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    const refusal = await sendOnce(url, line, signal);
    if (!refusal) return;
    const pause = pausesMs[attempt];
    // What the server has understood and refused, it will refuse again; what keeps it stuck takes longer than we wait.
    if (pause === undefined || !refusal.isPassing)
      throw unpublished(`${url.origin} ${refusal.why}`, 'Check the URL, and the server behind it.');
    await sleep(pause, undefined, signal ? { signal } : {});
  }
}

/** Why it was not taken. The URL's path may be a secret of the receiver's, so that only its origin is ever named. */
async function sendOnce(
  url: URL,
  line: string,
  signal: AbortSignal | undefined,
): Promise<{ why: string; isPassing: boolean } | undefined> {
  const deadline = AbortSignal.timeout(deadlineMs);
  try {
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/jose' },
      body: `${line}\n`,
      redirect: 'manual',
      signal: signal ? joined(signal, deadline) : deadline,
    });
    await answer.body?.cancel();
    if (answer.ok) return undefined;
    const isPassing = answer.status === 408 || answer.status === 429 || answer.status >= 500;
    return { why: `answered ${answer.status}`, isPassing };
  } catch (error) {
    signal?.throwIfAborted();
    if (deadline.aborted) return { why: `did not answer within ${deadlineMs / 1000} s`, isPassing: false };
    const { code = 'unknown' } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException;
    return { why: `cannot be reached (${code})`, isPassing: true };
  }
}

function unpublished(why: string, hint: string): CloudCliError {
  return new CloudCliError('audit_unavailable', `the checkpoint was not published: ${why}`, { hint });
}
