/** A chain that somebody edited, cut, extended or put into another order: it never verifies as it was. */

import { type ChainedEvent, chainHash, genesis, verifyChain } from '../../../src/audit/chain.js';
import { bodyOf } from '../../../src/audit/ledger.js';
import { Choices } from '../choices.js';
import { expectThat, type Target } from '../target.js';

const honest = chainOf(
  ['a', 'b', 'c', 'd', 'e'].map((run_id, index) =>
    bodyOf(index + 1, '2026-11-01T00:00:00.000Z', { kind: 'SUCCEEDED', run_id, duration_ms: index }),
  ),
);
const head = { seq: honest.length, hash: honest.at(-1)!.hash };

export const chain: Target = {
  name: 'chain',
  seeds: Array.from({ length: 32 }, (_, index) =>
    Uint8Array.from([1 + (index & 3), index >> 2, 1, 2, 3, 4, 5, 6]),
  ),
  words: ['{"seq":1,', '{"seq":2,', '"seq":3', '0'.repeat(64), head.hash],
  run(input) {
    const choices = new Choices(input);
    const events = honest.map((event) => ({ ...event }));
    for (let changes = choices.upTo(6); changes > 0; changes -= 1) change(events, choices);
    const found = verifyChain(events, head);
    const isSame = JSON.stringify(events.slice(0, honest.length)) === JSON.stringify(honest);
    expectThat(!found.ok || isSame, `verifies against the saved head: ${JSON.stringify(events)}`);
    expectThat(found.ok || found.problem !== '', 'fails without words');
    // Without a head only the end can be missing.
    const alone = verifyChain(events);
    const isBeginning = events.every(
      (event, index) => index >= honest.length || JSON.stringify(event) === JSON.stringify(honest[index]),
    );
    if (alone.ok && !isBeginning) {
      // Then somebody made all of the hashes anew, which takes no secret; it is what a saved head is for.
      expectThat(
        JSON.stringify(chainOf(events.map(({ body }) => body))) === JSON.stringify(events),
        'is no chain',
      );
    }
  },
};

function change(events: ChainedEvent[], choices: Choices): void {
  const at = choices.upTo(events.length + 1);
  const event = events[at] ?? events.at(-1);
  if (!event) return;
  switch (choices.upTo(8)) {
    case 7:
      events.length = at;
      break;
    case 0:
      events.splice(at, 1);
      break;
    case 1:
      events.push(...events.splice(at, 1));
      break;
    case 2:
      event.body = choices.text(60);
      break;
    case 3:
      event.hash = choices.of([genesis, choices.text(64), events[choices.upTo(events.length)]!.hash]);
      break;
    case 4:
      event.seq = choices.upTo(12) - 2;
      break;
    case 5:
      events.splice(at, 0, { ...event });
      break;
    default: {
      const piece = choices.upTo(event.body.length + 1);
      event.body = event.body.slice(0, piece) + choices.text(8) + event.body.slice(piece + choices.upTo(3));
    }
  }
}

function chainOf(bodies: readonly string[]): ChainedEvent[] {
  let previous = genesis;
  return bodies.map((body, index) => {
    previous = chainHash(previous, body);
    return { seq: index + 1, body, hash: previous };
  });
}
