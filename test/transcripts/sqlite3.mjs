#!/usr/bin/env node
// `sqlite3 FILE SQL`, for hosts without the real one: how somebody would tamper with a ledger.
import Database from 'better-sqlite3';

const [file, sql] = process.argv.slice(2);
new Database(file).exec(sql);
