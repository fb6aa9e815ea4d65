/** A second process, which no fault befalls: it mints the same key meanwhile, and afterwards says what it finds. */
import './time.mjs';
import { broken } from './invariants.mjs';

const { attempt } = await import('./attempt.mjs');

process.on('message', async ({ mint, check, id }) => {
  try {
    process.send({ id, result: mint ? await attempt(mint) : await broken(check) });
  } catch (error) {
    process.send({
      id,
      result: mint ? { error: { text: error.stack } } : [`the witness failed: ${error.stack}`],
    });
  }
});
process.on('disconnect', () => process.exit());
process.send('ready');
