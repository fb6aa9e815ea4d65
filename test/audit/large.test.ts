/** A ledger far larger than the memory of the command that works on it, and what a person sees meanwhile. */
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fill } from '../../bench/generate.mjs';
import { cloudCli, freshEnvironment } from '../support.js';
import { Terminal } from '../wizard/terminal.js';

const rows = 100_000;
/** Megabytes that V8 may keep: a quarter of what the events take. */
const heap = 16;

describe('a ledger of 100,000 events', () => {
  const directory = mkdtempSync(join(tmpdir(), 'cloud-cli-large-'));
  const file = join(directory, 'audit.sqlite');
  beforeAll(() => fill(file, rows), 300_000);
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  const environment = (url: string) =>
    freshEnvironment({ CLOUD_CLI_AUDIT_URL: url, NODE_OPTIONS: `--max-old-space-size=${heap}` });

  it('is verified, exported and imported in a small part of its size', { timeout: 300_000 }, async () => {
    expect(statSync(file).size).toBeGreaterThan(4 * heap * 1024 * 1024);
    const env = environment(`sqlite:${file}`);
    const verified = await cloudCli(['audit', 'verify', '--json'], env);
    expect(verified).toMatchObject({ code: 0, stderr: '' });
    const { events, head } = JSON.parse(verified.stdout);
    expect(events).toBeGreaterThan(rows - 3);

    const exported = await cloudCli(['audit', 'export'], env);
    expect(exported).toMatchObject({ code: 0, stderr: '' });
    const lines = join(directory, 'audit.jsonl');
    writeFileSync(lines, exported.stdout);
    const copy = environment(`sqlite:${join(directory, 'copy.sqlite')}`);
    const imported = await cloudCli(['audit', 'import', lines, '--json'], copy);
    expect(imported).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(imported.stdout)).toEqual(head);
  });

  it('shows on a terminal how many of its events are done', async () => {
    const terminal = new Terminal(
      freshEnvironment({ CLOUD_CLI_AUDIT_URL: `sqlite:${file}` }),
      { columns: 80, rows: 24 },
      ['audit', 'verify'],
    );
    const text = await terminal.see(/exit status/);
    expect(text).toContain('exit status 0');
    expect(await terminal.bytes('exit status 0')).toContain('verifying, 0 events');
  });
});
