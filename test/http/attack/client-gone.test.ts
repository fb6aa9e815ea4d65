import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isAlive, recorded, requests, until } from '../../support.js';
import { bearer, jsonType, type SideName, sideNames, useSides } from './sides.js';
import { bytesOf, open, send } from './wire.js';

const sides = useSides();

const metricsOf = async (name: SideName) =>
  (await send(sides.current[name].url, { target: '/metrics' })).text;

async function callOf(name: SideName, request: object): Promise<Buffer> {
  const { url, path } = sides.current[name];
  const headers = [bearer(await sides.current.issuer.token()), jsonType];
  return bytesOf(url, { target: path('sts'), headers, body: JSON.stringify(request) });
}

describe.each(sideNames)('a client of the %s that goes away', (name: SideName) => {
  it.each(['hanging', 'stubborn', 'grandchild'])(
    'ends its run (%s), and its vendor process',
    async (word) => {
      const { home, audit } = sides.current;
      const record = join(home, 'record');
      const before = sides.current.spawned();
      const key = `idp:aws:${word}-${name.replace(' ', '-')}`;
      const socket = await open(sides.current[name].url);
      socket.write(await callOf(name, { ...requests.aws(word), target_credential_key: key }));
      await until(() => sides.current.spawned() > before);
      const { pid, grandchild } = recorded(record).at(-1)!;
      socket.destroy();
      const row = await until(async () => {
        const [found] = await audit.list({ key });
        return found?.status === 'FAILED' && found;
      });
      expect(row).toMatchObject({ error: { code: 'cancelled' }, outcome: 'unknown', lease: null });
      await until(() => !isAlive(pid) && !(grandchild && isAlive(grandchild)));

      const through = name === 'admin side' ? sideNames : (['controller'] as const);
      for (const side of through) {
        const line = await until(() =>
          sides.current[side].lines.find((each) => each.run_id === row.run_id && each.status !== undefined),
        );
        expect(line).toMatchObject({ status: 499, code: 'cancelled', actor: 'alice@example.com' });
        const { path } = sides.current[side];
        expect(await metricsOf(side)).toMatch(
          new RegExp(
            `^cloud_cli_http_request_duration_seconds_count\\{[^}]*route="${path('sts')}"[^}]*status="499"`,
            'm',
          ),
        );
      }
      expect(await metricsOf('controller')).toMatch(/^cloud_cli_mints_in_flight 0$/m);
    },
  );

  it('in the middle of its body leaves neither a row nor a process, nor a defect in a log', async () => {
    const { audit } = sides.current;
    const before = [sides.current.spawned(), (await audit.head()).seq];
    const whole = await callOf(name, requests.aws());
    const lines = sides.current[name].lines.length;
    const socket = await open(sides.current[name].url);
    socket.write(whole.subarray(0, -10));
    await new Promise((resolve) => setTimeout(resolve, 200));
    socket.destroy();
    const line = await until(() => sides.current[name].lines[lines]);
    expect(line).toMatchObject({ status: 499, code: 'cancelled' });
    expect([sides.current.spawned(), (await audit.head()).seq]).toEqual(before);
    expect(sides.current[name].lines.filter(({ message }) => message !== 'answered')).toEqual([]);
  });

  it('may mint the same key again at once', async () => {
    const key = `idp:aws:hanging-${name.replace(' ', '-')}`;
    const { url, path } = sides.current[name];
    const answer = await send(url, {
      target: path('sts'),
      headers: [bearer(await sides.current.issuer.token()), jsonType],
      body: JSON.stringify({ ...requests.aws(), target_credential_key: key }),
    });
    expect(answer.status).toBe(200);
  });
});
