/** Known token values, driven over HTTP through success and every failure of every provider, come out nowhere. */
import { readFileSync, rmSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { filesBelow, leaksIn } from '../../leaks.js';
import { type Provider, providers, requests } from '../../support.js';
import { adminPath, controllerPath, startHost } from './processes.js';
import { bearer, jsonType } from './sides.js';
import { send } from './wire.js';

const canary = 'Canary4Vx9';
const externalId = 'canary-external/Id77';
const tokenCode = '564738';

const words = [
  ...['deploy', 'denied', 'not-logged-in', 'expired-login', 'throttled', 'not-found', 'unreachable'],
  ...['leaky', 'truncated-body', 'signal', 'garbage', 'junk-before', 'empty', 'truncated', 'no-token'],
  ...['wrong-identity', 'wrong-session', 'past-expiry', 'garbage-expiry', 'endless', 'endless-stderr'],
  ...['chatty', 'hanging', 'orphan-pipe'],
];

function requestFor(provider: Provider, word: string): Record<string, unknown> {
  const request = { ...requests[provider](word), timeout_seconds: word === 'hanging' ? 1 : 20 };
  if (provider !== 'aws') return request;
  const serial_number = 'arn:aws:iam::123456789012:mfa/operator';
  return { ...request, external_id: externalId, serial_number, token_code: tokenCode };
}

describe('a canary over HTTP', () => {
  it('is in no answer, header, metric, log line, row or file of either side', async () => {
    const { controller, admin, issuer, env } = await startHost({ FIXTURE_CANARY: canary });
    const sides = [
      { url: controller.url, path: controllerPath },
      { url: admin.url, path: adminPath },
    ];
    const token = await issuer.token();
    const said: [string, string][] = [];
    const statuses = new Set<number>();
    const ask = async ({ url, path }: (typeof sides)[number], route: string, request?: object) => {
      const body = request && JSON.stringify(request);
      const headers = [bearer(token), jsonType];
      const target = route.startsWith('/') ? route : path(route);
      const answer = await send(url, { target, headers, body });
      said.push([`${target} ${body}`, `${JSON.stringify([...answer.headers])} ${answer.text}`]);
      statuses.add(answer.status);
      return answer;
    };
    const drive = async (provider: Provider) => {
      for (const [index, word] of words.entries()) {
        const request = requestFor(provider, word);
        // The words that print most go through both.
        const through = ['deploy', 'leaky', 'garbage'].includes(word) ? sides : [sides[index % 2]!];
        for (const side of through) {
          await ask(side, 'preview', request);
          const { body } = await ask(side, 'sts', request);
          expect(body.audit_run_id).toMatch(/./);
          await ask(side, `runs/${body.audit_run_id}`);
          // A refusal must not quote what it refuses.
          await ask(side, 'sts', {
            ...request,
            external_id: `${externalId} ${canary}`,
            token_code: `x${tokenCode}`,
          });
        }
      }
    };
    await Promise.all(providers.map(drive));
    for (const side of sides) for (const route of ['/metrics', '/readyz', 'handlers']) await ask(side, route);
    expect([...statuses].toSorted()).toEqual([200, 400, 502, 504]);

    const values = [canary, externalId, `=${tokenCode}`, `'${tokenCode}'`, `"${tokenCode}"`];
    for (const [call, text] of said) {
      // The call's own words are in no answer to it either.
      expect([call, leaksIn(text, values)]).toEqual([call, []]);
    }
    const signature = token.split('.')[2]!;
    for (const { stderr } of [controller, admin]) {
      expect(stderr().split('\n').length).toBeGreaterThan(80);
      expect(leaksIn(stderr(), [...values, signature])).toEqual([]);
    }
    // The stand-ins' own record holds the environment that the test gave them.
    rmSync(env.FIXTURE_RECORD!);
    const files = filesBelow(env.HOME!);
    expect(files.filter((file) => file.endsWith('.age'))).toHaveLength(providers.length);
    for (const file of files)
      expect([file, leaksIn(readFileSync(file, 'latin1'), [...values, signature])]).toEqual([file, []]);
  });
});
