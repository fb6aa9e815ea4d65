/** Any bytes as a file of the store: metadata that is all text, or words about what is wrong. */
import { AgeFileError, headBytes, identitiesIn, readMetadata } from '../../../src/stores/age-file.js';
import { expectThat, type Target } from '../target.js';

const metadata = JSON.stringify({
  provider: 'aws',
  credential_key: 'idp:aws:prod',
  expires_at: '2100-01-01T00:00:00.000Z',
  source_identity: 'arn:aws:iam::123456789012:role/deploy',
  audit_run_id: '01936b1e-4c00-7d3a-9c1e-2f6b8f0a4d11',
});

export const ageHeader: Target = {
  name: 'age-header',
  seeds: [
    fileOf(metadata),
    fileOf('{}'),
    fileOf('[]'),
    fileOf(`${metadata} `),
    'age-encryption.org/v1\n--- x',
  ],
  words: ['\n-> ', '--- ', '-> cloud-cli.alphaswarm.dev/metadata\n', '=', '\r\n', 'age-encryption.org/v1\n'],
  run(input) {
    // The mutation of what is encoded, too.
    for (const file of [input, Buffer.from(fileOf(input.toString('utf8')))]) {
      try {
        const found = readMetadata(file);
        expectThat(Object.keys(found).length === 5, 'another number of members');
        expectThat(
          Object.values(found).every((value) => typeof value === 'string'),
          'a member that is no text',
        );
        const again = readMetadata(Buffer.from(fileOf(JSON.stringify(found))));
        expectThat(JSON.stringify(again) === JSON.stringify(found), 'reads its own otherwise');
        expectThat(
          JSON.stringify(readMetadata(file.subarray(0, headBytes))) === JSON.stringify(found),
          'needs more',
        );
      } catch (error) {
        expectThat(
          error instanceof AgeFileError,
          `an error that is none of ours: ${(error as Error)?.stack}`,
        );
      }
    }
    for (const line of identitiesIn(input.toString('utf8')))
      expectThat(line !== '' && !line.startsWith('#') && line === line.trim(), 'an identity that is none');
  },
};

function fileOf(text: string): string {
  const lines = Buffer.from(text)
    .toString('base64')
    .replaceAll('=', '')
    .match(/.{1,64}/g) ?? [''];
  if (lines.at(-1)?.length === 64) lines.push('');
  return `age-encryption.org/v1\n-> cloud-cli.alphaswarm.dev/metadata\n${lines.join('\n')}\n-> X25519 a\nb\n--- c\nd`;
}
