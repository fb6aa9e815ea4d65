/** More mints than a controller takes at a time are shed, and no row is lost or made up. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { requests } from '../../support.js';
import { bearer, expectProblem, jsonType, refusal, type SideName, sideNames, useSides } from './sides.js';
import { send } from './wire.js';

const most = 3;

describe.each(sideNames)('the %s under load', (name: SideName) => {
  const sides = useSides({ max_in_flight: most });

  it('sheds beyond max_in_flight with 429, and has a row for every mint and for no other call', async () => {
    const { audit, issuer } = sides.current;
    const { url, path } = sides.current[name];
    const token = await issuer.token();
    let highest = 0;
    let isOver = false;
    const mint = async (caller: number, round: number) => {
      const request = {
        ...requests.aws(round % 2 === 0 ? 'slow' : 'deploy'),
        target_credential_key: `idp:aws:key-${caller}`,
      };
      const answer = await send(url, {
        target: path('sts'),
        headers: [bearer(token), jsonType],
        body: JSON.stringify(request),
      });
      return { answer, caller };
    };
    const rounds = async (caller: number) => {
      const got = [];
      for (let round = 0; round < 4; round += 1) got.push(await mint(caller, round));
      return got;
    };
    const watch = async () => {
      while (!isOver) {
        const { text } = await send(sides.current.controller.url, { target: '/metrics' });
        highest = Math.max(highest, Number(/^cloud_cli_mints_in_flight (\d+)$/m.exec(text)?.[1]));
        await sleep(50);
      }
    };
    const watching = watch();
    const answers = (await Promise.all(Array.from({ length: 10 }, (_, caller) => rounds(caller)))).flat();
    isOver = true;
    await watching;

    const minted = answers.filter(({ answer }) => answer.status === 200);
    const shed = answers.filter(({ answer }) => answer.status === 429);
    expect(minted.length).toBeGreaterThanOrEqual(most);
    expect(shed.length).toBeGreaterThan(0);
    expect(minted.length + shed.length).toBe(40);
    for (const { answer } of shed) {
      expectProblem(answer, refusal(429, 'rate_limited'));
      expect(answer.headers.get('retry-after')).toBe('2');
      expect(answer.body).toMatchObject({ outcome: 'not_issued' });
      expect(answer.body).not.toHaveProperty('audit_run_id');
    }
    expect([highest > 0, highest <= most]).toEqual([true, true]);
    const rows = await audit.list();
    expect(rows.map(({ run_id, status }) => [run_id, status]).toSorted()).toEqual(
      minted.map(({ answer }) => [answer.body.audit_run_id, 'SUCCEEDED']).toSorted(),
    );
    expect(sides.current.spawned()).toBe(minted.length);
    expect(await audit.verify()).toMatchObject({ ok: true, events: 3 * minted.length });
  });

  it('lists, previews and looks up while it mints as much as it can', async () => {
    const { issuer } = sides.current;
    const { url, path } = sides.current[name];
    const token = await issuer.token();
    const headers = [bearer(token), jsonType];
    const busy = Array.from({ length: most }, (_, caller) => {
      const request = { ...requests.aws('slow'), target_credential_key: `idp:aws:busy-${caller}` };
      return send(url, { target: path('sts'), headers, body: JSON.stringify(request) });
    });
    const body = JSON.stringify(requests.aws());
    for (let round = 0; round < 10; round += 1) {
      expect((await send(url, { target: path('handlers'), headers })).status).toBe(200);
      expect((await send(url, { target: path('preview'), headers, body })).status).toBe(200);
    }
    expect((await Promise.all(busy)).map(({ status }) => status)).toEqual([200, 200, 200]);
  });
});
