/** Any configuration file: settings, or issues that name their place and quote nothing. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadSettings } from '../../../src/config.js';
import { isCloudCliError } from '../../../src/errors.js';
import { planted } from '../checked.js';
import { expectThat, type Target } from '../target.js';

const directory = mkdtempSync(join(tmpdir(), 'cloud-cli-fuzz-'));
const file = join(directory, 'config.json');

export const config: Target = {
  name: 'config',
  seeds: [
    '{}',
    '{"$schema":"x","audit_url":"sqlite:/a","store_url":"none:","targets":{"prod":{"provider":"aws","role_arn":"arn:aws:iam::123456789012:role/deploy"}}}',
    '{"allow":[{"actors":["*"],"providers":["aws"],"identities":["*"],"keys":["a:*"],"max_lifetime_seconds":1}]}',
    '{"binaries":{"aws":{"sha256":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","path":"/usr/bin/aws"}}}',
    '{"http":{"step_up_max_age_seconds":1,"freshness_claim":"iat","max_in_flight":1,"hosts":["a.example","[::1]"]}}',
  ],
  words: [
    planted,
    `"${planted}"`,
    '"targets":',
    '"__proto__":',
    '"provider":"azure"',
    '"allow":[]',
    '"binaries":',
    '"aws":',
    'null',
    '1e9',
  ],
  run(input) {
    writeFileSync(file, input);
    try {
      const settings = loadSettings({ CLOUD_CLI_HOME: directory });
      expectThat(settings.allow === undefined || Array.isArray(settings.allow), 'rules that are none');
      for (const name of Object.keys(settings.targets))
        expectThat(/^[A-Za-z0-9]/.test(name), 'an odd target');
    } catch (error) {
      expectThat(isCloudCliError(error), `an error that is none of ours: ${(error as Error)?.stack}`);
      expectThat(error.code === 'invalid_request', `refused as ${error.code}`);
      const { issues } = error.details as { issues: { field: string; message: string }[] };
      for (const { message } of issues) expectThat(!message.includes(planted), `quotes a value: ${message}`);
    }
  },
  close: () => rmSync(directory, { recursive: true, force: true }),
};
