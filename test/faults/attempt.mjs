/** One mint, as a command makes it, that says to the shim what it is about to do. */
import { join } from 'node:path';
import { maybeBroken } from './broken.mjs';
import { environmentOf, homeOf, requestOf } from './scenario.mjs';
import { steadyNow } from './time.mjs';

const { mint, openAuditStore, openCredentialStore } = await import('@alphaswarm/cloud-cli');

/** What a mint says before and after each of its parts. */
export const marks = {
  PENDING: ['PENDING', 'recorded'],
  ready: ['ready', 'vendor'],
  ISSUED: ['ISSUED', 'issued'],
  persist: ['persist', 'persisted'],
  SUCCEEDED: ['SUCCEEDED', 'closed'],
  FAILED: ['FAILED', 'closed'],
};

/**
 * Opens the home, mints, and closes it again.
 * @param order `{directory, scenario, run_id, canary}`
 * @param at is told each mark, and may take its time
 */
export async function attempt(
  { directory, scenario, run_id, canary },
  at = async () => {},
  signal = undefined,
) {
  const started = steadyNow();
  const home = homeOf(directory);
  const within = async (part, work) => {
    const [before, after] = marks[part];
    await at(before);
    await work();
    await at(after);
  };
  let audit;
  let result;
  try {
    await at('open');
    const store = await openCredentialStore(`file:${join(home, 'credentials')}`);
    audit = await openAuditStore(`sqlite:${join(home, 'audit.sqlite')}`);
    const append = maybeBroken((event) => audit.append(event));
    const envelope = await mint(requestOf(scenario, run_id), {
      audit: {
        append: (event) => within(event.kind, () => append(event)),
        get: (id) => audit.get(id),
        latest: (key) => audit.latest(key),
      },
      ready: () => within('ready', store.ready),
      persist: (...all) => within('persist', () => store.persist(...all)),
      stored: store.describe,
      env: environmentOf({ directory, canary }),
      actor: 'operator',
      signal,
    });
    result = { envelope, head: await audit.head() };
  } catch (error) {
    result = { error: { ...error.toJSON?.(), name: error.name, text: `${error.stack}\n${error.hint}` } };
  }
  await at('close');
  try {
    await audit?.close();
  } catch (error) {
    result.closing = `${error.stack}`;
  }
  return { ...result, run_id, seconds: (steadyNow() - started) / 1000 };
}

/** Opens the ledger of a home and closes it. */
export async function reopen({ directory }) {
  const audit = await openAuditStore(`sqlite:${join(homeOf(directory), 'audit.sqlite')}`);
  await audit.close();
}
