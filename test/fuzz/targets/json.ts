/** Requests as JSON of any shape. */
import { holdsOf, planted } from '../checked.js';
import type { Target } from '../target.js';

export const json: Target = {
  name: 'json',
  seeds: [
    '{"provider":"aws","target_credential_key":"idp:aws:prod","role_arn":"arn:aws:iam::123456789012:role/deploy","tags":{"a":"b"},"policy_arns":["arn:aws:iam::aws:policy/x"]}',
    '{"provider":"gcp","target_credential_key":"a:b","service_account_email":"minter@my-project.iam.gserviceaccount.com","delegates":[]}',
    '{"provider":"azure","target_credential_key":"a:b","scope":"https://vault.azure.net/.default","tenant":"x.example"}',
    '[]',
    'null',
    '"text"',
    '{"__proto__":{"provider":"aws"},"provider":"azure","target_credential_key":"a:b"}',
    '{"provider":"azure","target_credential_key":"a:b","constructor":1,"toString":{}}',
  ],
  words: [
    planted,
    '"__proto__":',
    '"constructor":',
    '"provider":"aws"',
    '"external_id":"',
    '"token_code":"123456"',
    '"run_id":"01936b1e-4c00-7d3a-9c1e-2f6b8f0a4d11"',
    'file://',
    '\\u0000',
    '\\ud800',
    '1e999',
  ],
  run(input) {
    let value: unknown;
    try {
      value = JSON.parse(input.toString('utf8'));
    } catch {
      value = input.toString('utf8');
    }
    holdsOf(value);
  },
};
