/** A call that is wrong in several ways is told the first of them, in the promised order: token, scope, freshness, body. */
import { describe, it } from 'vitest';
import {
  bearer,
  call,
  expectRefused,
  invalidToken,
  jsonType,
  noScope,
  noToken,
  type Refusal,
  refusal,
  type SideName,
  sideNames,
  stepUp,
  useSides,
} from './sides.js';

const sides = useSides();

/** Everything that can be wrong, the first to be told first. */
interface Faults {
  host?: boolean;
  path?: boolean;
  method?: boolean;
  origin?: boolean;
  token?: 'none' | 'foreign';
  scope?: boolean;
  freshness?: boolean;
  type?: boolean;
  size?: boolean;
  json?: boolean;
}

const late: Faults = { freshness: true, type: true, size: true, json: true };
const cases: [Refusal, Faults][] = [
  [refusal(421, 'misdirected_request'), { host: true, path: true, origin: true, token: 'none', ...late }],
  [refusal(404, 'not_found'), { path: true, origin: true, token: 'none', ...late }],
  [refusal(405, 'method_not_allowed'), { method: true, origin: true, token: 'none', ...late }],
  [refusal(403, 'forbidden_origin'), { origin: true, token: 'none', scope: true, ...late }],
  [noToken, { token: 'none', scope: true, ...late }],
  [invalidToken('its aud is not accepted'), { token: 'foreign', scope: true, ...late }],
  [noScope, { scope: true, ...late }],
  [stepUp(), late],
  [refusal(415, 'unsupported_media_type'), { ...late, freshness: false }],
  [refusal(413, 'payload_too_large'), { size: true, json: true }],
  [refusal(400, 'invalid_request'), { json: true }],
];

describe.each(sideNames)('the %s', (name: SideName) => {
  it.each(cases)('answers %o to a call with the faults %o', async (expected, faults) => {
    const token = await sides.current.issuer.token({
      ...(faults.token === 'foreign' ? { aud: 'another-service' } : {}),
      ...(faults.scope ? { scope: 'openid' } : {}),
      ...(faults.freshness ? { auth_time: 1 } : {}),
    });
    for (const route of ['preview', 'sts'])
      await expectRefused(sides.current, name, expected, () =>
        call(sides.current, name, route, {
          ...(faults.method ? { method: 'PUT' } : {}),
          ...(faults.path ? { target: `${sides.current[name].path(route)}/` } : {}),
          headers: [
            ...(faults.host ? [['Host', 'evil.example'] as [string, string]] : []),
            ...(faults.origin ? [['Origin', 'https://evil.example'] as [string, string]] : []),
            ...(faults.token === 'none' ? [] : [bearer(token)]),
            faults.type ? ['Content-Type', 'text/plain'] : jsonType,
          ],
          body: `${faults.size ? ' '.repeat(17_000) : ''}${faults.json ? '{' : '{}'}`,
        }),
      );
  });
});
