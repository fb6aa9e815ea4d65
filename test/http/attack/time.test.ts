/** The edges of time: to the second, with the clock held still. */
import { CompactSign } from 'jose';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  call,
  expectRefused,
  invalidToken,
  type Refusal,
  type SideName,
  sideNames,
  stepUp,
  useSides,
} from './sides.js';

const now = Math.floor(Date.now() / 1000);

beforeAll(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: now * 1000 });
});
afterAll(() => {
  vi.useRealTimers();
});

const sides = useSides();

const tooOld = stepUp();
const ahead = invalidToken('its auth_time is in the future');

/** `auth_time` as its JSON text, since not every one can be written otherwise; `undefined` leaves it out. */
const freshness: [auth_time: string | undefined, Refusal | undefined][] = [
  [`${now}`, undefined],
  [`${now - 179}`, undefined],
  [`${now - 180}`, undefined],
  [`${now - 180}.0`, undefined],
  [`${now - 180}.001`, undefined],
  [`${now - 181}.999`, tooOld],
  [`${now - 181}`, tooOld],
  [`${now + 1}`, undefined],
  [`${now + 5}`, undefined],
  [`${now + 5}.5`, ahead],
  [`${now + 6}`, ahead],
  [`${now * 1000}`, ahead],
  ['1e999', ahead],
  ['-1e999', tooOld],
  ['-1', tooOld],
  ['0', tooOld],
  [`-${now}`, tooOld],
  [undefined, tooOld],
  ['null', tooOld],
  ['true', tooOld],
  [`"${now}"`, tooOld],
  [`"${new Date(now * 1000).toISOString()}"`, tooOld],
  [`[${now}]`, tooOld],
  [`{"valueOf":${now}}`, tooOld],
];

const expired = invalidToken('it has expired');
const early = invalidToken('its nbf is not accepted');
const validity: [claims: Record<string, number>, Refusal | undefined][] = [
  [{ exp: now + 1 }, undefined],
  [{ exp: now }, undefined],
  [{ exp: now - 4 }, undefined],
  [{ exp: now - 5 }, expired],
  [{ exp: now - 6 }, expired],
  [{ nbf: now }, undefined],
  [{ nbf: now + 5 }, undefined],
  [{ nbf: now + 6 }, early],
  [{ exp: now - 5, nbf: now + 6 }, early],
];

/** A token with one claim in JSON's own words. */
async function tokenWith(auth_time: string | undefined): Promise<string> {
  const { issuer } = sides.current;
  const claims = {
    iss: issuer.url,
    aud: 'cloud-cli-control-plane',
    sub: 'alice@example.com',
    scope: 'admin:cluster',
    iat: now,
    exp: now + 300,
  };
  const text = JSON.stringify(claims);
  const whole = auth_time === undefined ? text : `${text.slice(0, -1)},"auth_time":${auth_time}}`;
  return new CompactSign(new TextEncoder().encode(whole))
    .setProtectedHeader({ alg: 'ES256', kid: 'key-0', typ: 'at+jwt' })
    .sign(issuer.keys[0]!.privateKey);
}

describe.each(sideNames)('the %s', (name: SideName) => {
  it.each(freshness)(
    'with auth_time %s answers a preview and a mint with %o',
    async (auth_time, expected) => {
      const token = await tokenWith(auth_time);
      // To the last millisecond of the second.
      for (const ms of [0, 999]) {
        vi.setSystemTime(now * 1000 + ms);
        if (expected) {
          for (const route of ['preview', 'sts'])
            await expectRefused(sides.current, name, expected, () =>
              call(sides.current, name, route, { token }),
            );
        } else expect((await call(sides.current, name, 'preview', { token })).status).toBe(200);
      }
    },
  );

  it('lists and looks up without a recent authentication', async () => {
    for (const auth_time of [undefined, '0', '1e999']) {
      const token = await tokenWith(auth_time);
      expect((await call(sides.current, name, 'handlers', { token })).status).toBe(200);
    }
  });

  it.each(validity)('with %o answers with %o', async (claims, expected) => {
    const token = await sides.current.issuer.token(claims);
    for (const ms of [0, 999]) {
      vi.setSystemTime(now * 1000 + ms);
      if (expected)
        await expectRefused(sides.current, name, expected, () =>
          call(sides.current, name, 'handlers', { token }),
        );
      else expect((await call(sides.current, name, 'handlers', { token })).status).toBe(200);
    }
  });
});

describe.each(sideNames)('the %s, told to go by iat within 60 seconds', (name: SideName) => {
  const configured = useSides({ freshness_claim: 'iat', step_up_max_age_seconds: 60 });

  it('goes by that alone, and asks for that age', async () => {
    vi.setSystemTime(now * 1000);
    const cases: [Record<string, unknown>, Refusal | undefined][] = [
      [{ iat: now - 60, auth_time: undefined }, undefined],
      [{ iat: now - 61, auth_time: now }, stepUp(60)],
      [{ iat: undefined, auth_time: now }, stepUp(60)],
      [{ iat: now + 6 }, invalidToken('its iat is in the future')],
    ];
    for (const [claims, expected] of cases) {
      const token = await configured.current.issuer.token(claims);
      if (expected)
        await expectRefused(configured.current, name, expected, () =>
          call(configured.current, name, 'sts', { token }),
        );
      else expect((await call(configured.current, name, 'preview', { token })).status).toBe(200);
    }
  });
});
