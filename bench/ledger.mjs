/** The ledger: durable rows a second, and what a million rows cost to verify and to list. */
import { openAuditStore } from '@alphaswarm/cloud-cli';
import Database from 'better-sqlite3';
import { failed, fill, pending } from './generate.mjs';
import { compare, timed } from './pairs.mjs';

let large;
/** The ledger of a million rows, made once. */
async function largeLedger(lab) {
  large ??= (async () => {
    const file = lab.fresh('large.sqlite');
    await fill(file, lab.rows);
    return file;
  })();
  const file = await large;
  const audit = await openAuditStore(`sqlite:${file}`);
  lab.later(() => audit.close());
  return { file, audit };
}

/** Durable rows a second, with so many writers, each of which waits for its row before it writes the next. */
async function rate(audit, writers, rows) {
  let left = rows;
  const taken = await timed(() =>
    Promise.all(
      Array.from({ length: writers }, async () => {
        for (; left > 0; ) {
          left -= 2;
          const begun = pending();
          await audit.append(begun);
          await audit.append(failed(begun.run_id));
        }
      }),
    ),
  );
  return (rows * 1000) / taken;
}

const listing = (what, filter) => ({
  name: `audit list ${what} / unfiltered`,
  goal: 3,
  async run(lab, pairs = 50) {
    const { audit } = await largeLedger(lab);
    const { run_id } = (await audit.list({ limit: 2000 })).at(-1);
    const [newest] = await audit.list({ limit: 1 });
    const since = (days) => new Date(Date.parse(newest.created_at) - days * 86_400_000).toISOString();
    const given = { limit: 50, ...filter({ since, before: run_id }) };
    return compare({
      ours: () => timed(() => audit.list(given)),
      other: () => timed(() => audit.list({ limit: 50 })),
      pairs,
    });
  },
});

export const ledgerRows = [
  {
    name: 'durable rows a second, 32 writers / 1 writer',
    goal: 5,
    atLeast: true,
    async run(lab, pairs = 20) {
      const audit = await openAuditStore(`sqlite:${lab.fresh('audit.sqlite')}`);
      lab.later(() => audit.close());
      return compare({
        ours: () => rate(audit, 32, 1600),
        other: () => rate(audit, 1, 200),
        pairs,
        unit: '/s',
      });
    },
  },
  {
    name: 'audit verify, rows a second / reading them',
    goal: 0.6,
    atLeast: true,
    async run(lab, pairs = 5) {
      const { file, audit } = await largeLedger(lab);
      const read = new Database(file, { readonly: true });
      lab.later(() => read.close());
      return compare({
        ours: async () => (lab.rows * 1000) / (await timed(() => audit.verify())),
        other: async () => (lab.rows * 1000) / (await timed(async () => readAll(read))),
        pairs,
        unit: '/s',
      });
    },
  },
  listing('--status FAILED', () => ({ status: 'FAILED' })),
  listing('--status PENDING', () => ({ status: 'PENDING' })),
  listing('--actor, --since a day', ({ since }) => ({ actor: 'actor-7@example.com', since: since(1) })),
  listing('--provider --before', ({ before }) => ({ provider: 'gcp', before })),
];

function readAll(db) {
  const rows = db.prepare('SELECT seq, body, hash FROM event WHERE seq > ? ORDER BY seq LIMIT 1000');
  for (let after = 0; ; ) {
    const page = rows.all(after);
    if (page.length === 0) return;
    after = page.at(-1).seq;
  }
}
