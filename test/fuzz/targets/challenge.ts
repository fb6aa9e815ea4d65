/** Any `WWW-Authenticate`: read without a throw, and what was read is what a careful writer writes. */
import { parseChallenges, stepUpChallenge, stepUpOf } from '../../../src/challenge.js';
import { expectThat, type Target } from '../target.js';

export const challenge: Target = {
  name: 'challenge',
  seeds: [
    'Bearer error="insufficient_user_authentication", error_description="a \\"b\\"", max_age="180"',
    'Basic realm="x", Bearer error=insufficient_user_authentication, acr_values="a b", Negotiate abc==',
    ', ,Bearer ,a=b,, Digest qop="a, b" , c = "d"',
  ],
  words: [
    'Bearer ',
    'max_age=',
    '"',
    '\\',
    ', ',
    '=',
    'error="insufficient_user_authentication"',
    'acr_values=',
  ],
  run(input) {
    const header = input.toString('latin1');
    const found = parseChallenges(header);
    for (const { scheme, params, token68 } of found) {
      expectThat(scheme === scheme.toLowerCase() && scheme !== '', 'a scheme with a case, or none');
      expectThat(token68 === undefined || params.size === 0, 'a token68 and parameters');
      for (const name of params.keys()) expectThat(name === name.toLowerCase(), 'a parameter with a case');
    }
    const plain = ({ scheme, params, token68 }: (typeof found)[number]) => [scheme, [...params], token68];
    const written = found
      .map(({ scheme, params, token68 }) =>
        token68 !== undefined
          ? `${scheme} ${token68}`
          : params.size === 0
            ? scheme
            : `${scheme} ${paramsOf(params)}`,
      )
      .join(', ');
    expectThat(
      JSON.stringify(parseChallenges(written).map(plain)) === JSON.stringify(found.map(plain)),
      `read ${JSON.stringify(found.map(plain))}, and written as ${written}`,
    );
    for (const { scheme, params } of found.filter((each) => each.params.size > 0)) {
      const [first] = params.keys();
      const twice = `${scheme} ${paramsOf(params)}, ${first?.toUpperCase()}=x`;
      expectThat(parseChallenges(twice).length === 0, `acts on half of ${twice}`);
    }
    const asked = stepUpOf(found);
    if (asked?.max_age === undefined) return;
    expectThat(Number.isSafeInteger(asked.max_age) && asked.max_age >= 0, 'an age that is none');
    const own = stepUpChallenge({ max_age: asked.max_age, description: 'again' });
    expectThat(stepUpOf(parseChallenges(own))?.max_age === asked.max_age, 'does not read its own');
  },
};

function paramsOf(params: ReadonlyMap<string, string>): string {
  return [...params].map(([name, value]) => `${name}="${value.replace(/["\\]/g, '\\$&')}"`).join(', ');
}
