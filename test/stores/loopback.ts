/** What keeps the vendors' SDKs on loopback, away from this machine's own logins; moto, and certificates for what is there. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { locate } from '../../src/locate.js';
import { freePort, until } from '../support.js';

/** Sets the environment of this test's process; gives the secrets that are in it. */
export function onLoopback() {
  const aws_secret = randomBytes(30).toString('base64url');
  const nowhere = mkdtempSync(join(tmpdir(), 'cloud-cli-no-login-'));
  for (const name of Object.keys(process.env))
    if (/^(AWS|AZURE|GOOGLE|VAULT|MSI|IDENTITY)_/.test(name)) delete process.env[name];
  Object.assign(process.env, {
    HOME: nowhere,
    NO_PROXY: '127.0.0.1,localhost',
    no_proxy: '127.0.0.1,localhost',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_ACCESS_KEY_ID: 'loopback',
    AWS_SECRET_ACCESS_KEY: aws_secret,
    CLOUDSDK_CONFIG: nowhere,
    // Nothing listens there.
    GCE_METADATA_HOST: '127.0.0.1:1',
    METADATA_SERVER_DETECTION: 'assume-present',
  });
  return { aws_secret, nowhere };
}

/** Runs a suite on a moto server. It comes from pip, which CI has not, so that it is a second opinion where it is installed. */
export function onMoto(name: string, suite: (endpoint: string) => void): void {
  const file = locate('moto_server', process.env.PATH);
  if (!file) {
    it.skip(`${name} on moto: get it by pip install 'moto[server]'`, () => {});
    return;
  }
  describe('moto', async () => {
    const port = await freePort();
    const endpoint = `http://127.0.0.1:${port}`;
    let child: ChildProcess;
    beforeAll(async () => {
      child = spawn(file, ['-H', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' });
      const answers = () =>
        fetch(`${endpoint}/moto-api/data.json`).then(
          ({ ok }) => ok,
          () => false,
        );
      await until(answers);
    });
    afterAll(() => child.kill('SIGKILL'));
    suite(endpoint);
  });
}

/** A key and a certificate of its own for 127.0.0.1, made now. */
export function newCertificate(): { key: string; cert: string } {
  const directory = mkdtempSync(join(tmpdir(), 'cloud-cli-tls-'));
  try {
    const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
    const subject = ['-subj', '/CN=loopback', '-addext', 'subjectAltName=IP:127.0.0.1'];
    const args = [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-days',
      '2',
    ];
    execFileSync('openssl', [...args, ...subject, '-keyout', key, '-out', cert], { stdio: 'pipe' });
    return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
