/** A token that held a moment ago: its signature is not checked again, and all else is. */
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { requests } from '../support.js';
import { newController } from './support.js';

describe('a token that held a moment ago', () => {
  it('is refused once it has run out, is too old for a mint, or is altered', async () => {
    const host = await newController();
    const now = Math.floor(Date.now() / 1000);
    const token = await host.issuer.token({ exp: now + 60, auth_time: now });
    const codeAt = async (seconds: number, path = 'handlers') => {
      vi.setSystemTime((now + seconds) * 1000);
      return (await host.call(path, { token, ...(path === 'preview' && { body: requests.aws() }) })).body
        .code;
    };
    vi.useFakeTimers({ toFake: ['Date'] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    expect([await codeAt(0), await codeAt(0, 'preview'), await codeAt(64)]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect([await codeAt(65), await codeAt(66)]).toEqual(['invalid_token', 'invalid_token']);
    const [header, claims, signature = ''] = token.split('.');
    const other = `${signature[0] === 'A' ? 'B' : 'A'}${signature.slice(1)}`;
    vi.setSystemTime(now * 1000);
    const altered = await host.call('handlers', { token: `${header}.${claims}.${other}` });
    expect(altered.body.code).toBe('invalid_token');
  });

  it('needs the scope and a recent authentication with every call', async () => {
    const host = await newController();
    const stale = await host.issuer.token({ auth_time: Math.floor(Date.now() / 1000) - 200 });
    const scopeless = await host.issuer.token({ scope: 'openid' });
    for (let call = 0; call < 2; call += 1) {
      expect((await host.call('handlers', { token: stale })).status).toBe(200);
      expect((await host.call('preview', { token: stale, body: requests.aws() })).status).toBe(401);
      expect((await host.call('handlers', { token: scopeless })).status).toBe(403);
    }
  });
});
