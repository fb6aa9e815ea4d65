/** Deliberately broken variants, by FAULTS_BREAK: the suite must find each of them, or it finds nothing. */
import fs from 'node:fs';
import { createRequire, syncBuiltinESMExports } from 'node:module';

/** What each variant does wrong. */
export const variants = {
  unsynced: 'the ledger answers before its log is on the disk',
  'late-pending': 'PENDING is recorded after the vendor CLI was spawned',
  'in-place': 'the store writes into the file that it should replace',
  'no-issued': 'the ISSUED event is lost',
};

const variant = process.env.FAULTS_BREAK;

if (variant === 'unsynced') {
  const Database = createRequire(import.meta.url)('better-sqlite3');
  const { pragma } = Database.prototype;
  Database.prototype.pragma = function (text, ...more) {
    return pragma.call(this, text === 'synchronous = FULL' ? 'synchronous = OFF' : text, ...more);
  };
}

if (variant === 'in-place') {
  const { rename } = fs;
  fs.rename = (from, to, done) => {
    if (!to.endsWith('.age')) return rename(from, to, done);
    inPlace(from, to).then(() => done(null), done);
  };
  syncBuiltinESMExports();
}

async function inPlace(from, to) {
  const content = await fs.promises.readFile(from);
  const file = await fs.promises.open(to, 'w', 0o600);
  const middle = content.length >> 1;
  await file.write(content, 0, middle);
  await file.write(content, middle);
  await file.sync();
  await file.close();
  await fs.promises.rm(from);
}

/** A ledger's `append`, broken where the variant is about its events. */
export function maybeBroken(append) {
  if (variant === 'no-issued') return async (event) => (event.kind === 'ISSUED' ? undefined : append(event));
  if (variant !== 'late-pending') return append;
  let late;
  return async (event) => {
    if (event.kind === 'PENDING') {
      late = event;
      return;
    }
    if (late) await append(late);
    late = undefined;
    await append(event);
  };
}
