/** A server that is asked to end answers whom it has let in, and nobody else. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { isAlive, requests, until } from '../../support.js';
import { adminPath, controllerPath, type Host, type Server, startHost } from './processes.js';
import { bearer, expectProblem, jsonType, refusal } from './sides.js';
import { type Answer, answersOn, bytesOf, open, send } from './wire.js';

const names = ['controller', 'admin'] as const;
const paths = { controller: controllerPath, admin: adminPath };

/** Sends a mint and gives what will be answered once its vendor process runs. */
async function minting(host: Host, name: (typeof names)[number], word: string) {
  const { url } = host[name];
  const headers = [bearer(await host.issuer.token()), jsonType];
  const body = JSON.stringify(requests.aws(word));
  const answer = send(url, { target: paths[name]('sts'), headers, body });
  const { pid } = await until(() => host.spawned()[0]);
  return { answer, pid };
}

const isRefused = ({ url }: Server) =>
  fetch(`${url}/healthz`, { headers: { connection: 'close' } }).then(
    () => false,
    () => true,
  );

describe.each(names)('the %s, asked to end', (name) => {
  it('takes no new call, lets the run in flight end, answers it, and exits with 0', async () => {
    const host = await startHost({}, name === 'admin');
    const { answer } = await minting(host, name, 'slow');
    host[name].child.kill('SIGTERM');
    await until(() => isRefused(host[name]));
    const { status, headers, body } = await answer;
    expect([status, headers.get('connection')]).toEqual([200, 'close']);
    expect(await host[name].ended).toBe(0);
    expect(await host.rows()).toMatchObject([{ run_id: body.audit_run_id, status: 'SUCCEEDED' }]);
  });

  it('twice, cancels the run in flight, says so, closes its row, and ends its vendor process', async () => {
    const host = await startHost({}, name === 'admin');
    const { answer, pid } = await minting(host, name, 'hanging');
    host[name].child.kill('SIGTERM');
    await until(() => isRefused(host[name]));
    await sleep(300);
    expect(isAlive(pid)).toBe(true);
    host[name].child.kill('SIGTERM');
    const got = await answer;
    expectProblem(got, refusal(503, 'cancelled'));
    expect(got.headers.get('retry-after')).toBe('5');
    expect(got.body.outcome).toBe('unknown');
    expect(await host[name].ended).toBe(0);
    const [row] = await until(async () => {
      const rows = await host.rows();
      return rows[0]?.status === 'FAILED' && rows;
    });
    expect(row).toMatchObject({ run_id: got.body.audit_run_id, error: { code: 'cancelled' } });
    await until(() => !isAlive(pid));
  });

  it('by Ctrl-C, exits with 130', async () => {
    const host = await startHost({}, name === 'admin');
    const { answer } = await minting(host, name, 'slow');
    host[name].child.kill('SIGINT');
    expect((await answer).status).toBe(200);
    expect(await host[name].ended).toBe(130);
  });

  it('while it is called from all sides, leaves none of whom it let in without an answer', async () => {
    const host = await startHost({}, name === 'admin');
    const { url, child, ended } = host[name];
    const token = await host.issuer.token();
    const sockets = await Promise.all(Array.from({ length: 16 }, () => open(url)));
    const calls = sockets.map((socket, index) => {
      const request = { ...requests.aws('slow'), target_credential_key: `idp:aws:key-${index}` };
      const headers = [bearer(token), jsonType];
      const answers = answersOn(socket);
      socket.write(bytesOf(url, { target: paths[name]('sts'), headers, body: JSON.stringify(request) }));
      return answers;
    });
    await until(() => host.spawned().length > 0);
    child.kill('SIGTERM');
    const answers = await Promise.all(calls);
    expect(answers.map((each) => each.length)).toEqual(answers.map(() => 1));
    const by = (status: number) => answers.flat().filter((each: Answer) => each.status === status);
    expect(by(200).length).toBeGreaterThan(0);
    expect(by(200).length + by(503).length).toBe(16);
    for (const late of by(503)) expectProblem(late, refusal(503, 'cancelled'));
    expect(await ended).toBe(0);
    const rows = await host.rows();
    expect(rows.map(({ run_id }) => run_id).toSorted()).toEqual(
      by(200)
        .map(({ body }) => body.audit_run_id)
        .toSorted(),
    );
    expect(rows.filter(({ status }) => status !== 'SUCCEEDED')).toEqual([]);
  });

  it('with idle and half-sent calls alone, waits for none of them', async () => {
    const host = await startHost({}, name === 'admin');
    const { url, child, ended } = host[name];
    const idle = await open(url);
    const half = await open(url);
    half.write(bytesOf(url, { target: paths[name]('sts'), body: 'x'.repeat(100) }).subarray(0, -50));
    await sleep(200);
    const started = performance.now();
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
    // Each would be shown the door after ten seconds, or thirty.
    expect(performance.now() - started).toBeLessThan(9000);
    idle.destroy();
    half.destroy();
  });
});
