/**
 * examples/deploy as far as it can be tried without systemd as init and without a container engine: the units are read and
 * judged by systemd's own tools, the real nginx serves the real sides, and of the Dockerfiles every line is looked at. That
 * their base images and Debian's packages are there, and that they build, is not tried.
 */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { loadSettings } from '../src/config.js';
import { locate } from '../src/locate.js';
import { startHost } from './http/attack/processes.js';
import { newCertificate } from './stores/loopback.js';
import { collect, freePort, freshEnvironment, requests, root, temporaryDirectory, until } from './support.js';

const deploy = join(root, 'examples', 'deploy');
const read = (name: string) => readFileSync(join(deploy, name), 'utf8');
const named = (end: string) => readdirSync(deploy).filter((name) => name.endsWith(end));
const everyday = '/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin';

/** A program of Debian's that CI installs; elsewhere its tests are skipped where it is missing. */
function tool(name: string, debian: string) {
  const file = locate(name, everyday);
  const why = `${name} is not on this host: apt-get install ${debian}`;
  if (file === undefined && process.env.CI === 'true') throw new Error(why);
  return { file: file ?? name, missing: file === undefined, why };
}

describe('a unit of systemd', () => {
  const systemd = tool('systemd-analyze', 'systemd');
  const units = [
    ...named('.service').map((name) => join(deploy, name)),
    join(root, 'examples', 'cloud-cli-keep@.service'),
  ];

  it.skipIf(systemd.missing).each(units)(
    '%s is one that systemd takes, and is shut off from the host',
    (file) => {
      // Neither the command nor its user is installed where the tests run.
      const unit = readFileSync(file, 'utf8')
        .replace('/usr/local/bin/cloud-cli', '/bin/true')
        .replace('User=cloud-cli', 'User=nobody');
      const copy = join(temporaryDirectory(), file.split('/').at(-1)!.replace('@', '@prod'));
      writeFileSync(copy, unit);
      const analyze = (...args: string[]) =>
        execFileSync(systemd.file, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
      expect(analyze('verify', '--man=no', copy)).toBe('');
      // Tenths of 0, shut off, to 10; systemd says OK below 4.
      analyze('security', '--offline=true', '--threshold=20', copy);
    },
  );

  it.each(named('.service'))(
    '%s runs a command that is there, with a configuration that it takes',
    async (name) => {
      const [, side] = /^ExecStart=\/usr\/local\/bin\/cloud-cli serve (\w+)$/m.exec(read(name))!;
      const variables = read(`${side}.env`)
        .trim()
        .split('\n')
        .map((line) => line.split('=') as [string, string]);
      const config = join(deploy, side === 'admin' ? 'admin.json' : 'config.json');
      expect(() => loadSettings({ CLOUD_CLI_CONFIG: config })).not.toThrow();
      const env = freshEnvironment({ ...Object.fromEntries(variables), CLOUD_CLI_CONFIG: config });
      // Paths of the example are not this host's.
      const here = {
        CLOUD_CLI_AUDIT_URL: `sqlite:${env.HOME}/audit.sqlite`,
        CLOUD_CLI_STORE_URL: `file:${env.HOME}/store`,
      };
      const child = spawn(process.execPath, [join(root, 'bin/cloud-cli.js'), 'serve', side!, '--port', '0'], {
        env: { ...env, ...here },
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      const ended = collect(child);
      let said = '';
      child.stderr.on('data', (chunk) => {
        said += chunk;
      });
      const url = await until(() => /listening on (\S+)/.exec(said)?.[1]);
      expect((await fetch(`${url}/healthz`)).status).toBe(200);
      child.kill('SIGTERM');
      expect((await ended).code).toBe(0);
    },
  );
});

describe('nginx.conf', () => {
  const nginx = tool('nginx', 'nginx-light');

  it.skipIf(nginx.missing)(
    'brings the console and a mint to the two sides, over TLS, and keeps the rest to itself',
    async () => {
      const host = await startHost({
        CLOUD_CLI_CONFIG: configWith(['admin.example.com', 'controller.internal']),
      });
      const { cert, port } = await startNginx(
        nginx.file,
        new URL(host.admin.url).port,
        new URL(host.controller.url).port,
      );
      const base = '/admin/settings/credentials/cloud-cli';
      const call = (name: string, path: string, more: object = {}) =>
        over(port, name, path, { ca: cert, ...more });
      expect((await call('admin.example.com', `${base}/`)).body).toContain(
        '<title>Cloud credentials</title>',
      );
      const body = JSON.stringify(requests.aws());
      const post = async (claims = {}) => ({
        method: 'POST',
        body,
        headers: {
          authorization: `Bearer ${await host.issuer.token(claims)}`,
          'content-type': 'application/json',
          origin: 'https://admin.example.com',
        },
      });
      const stale = await call('admin.example.com', `${base}/sts`, await post({ auth_time: 1 }));
      expect([stale.status, stale.headers['www-authenticate']]).toEqual([
        401,
        expect.stringContaining('max_age="180"'),
      ]);
      expect((await call('admin.example.com', `${base}/sts`, await post())).status).toBe(200);
      expect((await host.rows()).map(({ status }) => status)).toEqual(['SUCCEEDED']);
      for (const path of ['/metrics', '/readyz', '/openapi.json', '/'])
        expect((await call('admin.example.com', path)).status).toBe(404);
      expect((await call('controller.internal', '/readyz')).status).toBe(200);
    },
  );
});

/** A configuration for sides that go by these names. */
function configWith(hosts: string[]): string {
  const file = join(temporaryDirectory(), 'config.json');
  writeFileSync(file, JSON.stringify({ http: { hosts } }));
  return file;
}

/** The example as it is, but for the ports, the files and the directories of a test. */
async function startNginx(file: string, admin: string, controller: string) {
  const directory = temporaryDirectory();
  const { key, cert } = newCertificate();
  writeFileSync(join(directory, 'key.pem'), key);
  writeFileSync(join(directory, 'cert.pem'), cert);
  const port = await freePort();
  const sites = read('nginx.conf')
    .replaceAll('listen 443 ssl', `listen 127.0.0.1:${port} ssl`)
    .replaceAll(/\/etc\/ssl\/[\w.]+\/fullchain\.pem/g, join(directory, 'cert.pem'))
    .replaceAll(/\/etc\/ssl\/[\w.]+\/privkey\.pem/g, join(directory, 'key.pem'))
    .replace('127.0.0.1:8080', `127.0.0.1:${admin}`)
    .replace('127.0.0.1:8081', `127.0.0.1:${controller}`);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${directory}/${kind};`,
  );
  const conf = join(directory, 'nginx.conf');
  writeFileSync(
    conf,
    `user root;\ndaemon off;\npid ${directory}/pid;\nerror_log stderr;\nevents {}\nhttp {\naccess_log off;\n${temporary.join('\n')}\n${sites}\n}\n`,
  );
  const child = spawn(file, ['-p', directory, '-c', conf], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk) => {
    said += chunk;
  });
  onTestFinished(async () => {
    child.kill('SIGTERM');
    await new Promise((resolve) => child.once('exit', resolve));
  });
  await until(() => existsSync(join(directory, 'pid')) || (child.exitCode !== null && expect.fail(said)));
  return { cert, port };
}

/** A call to a name that no resolver knows, whose certificate is the test's. */
function over(
  port: number,
  name: string,
  path: string,
  {
    ca,
    method = 'GET',
    headers = {},
    body,
  }: { ca?: string; method?: string; headers?: object; body?: string },
): Promise<{ status: number; headers: Record<string, string | string[] | undefined>; body: string }> {
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        host: '127.0.0.1',
        port,
        path,
        method,
        ca,
        headers: { host: name, ...headers },
        servername: name,
        checkServerIdentity: () => undefined,
      },
      (response) => {
        let text = '';
        response.on('data', (chunk) => {
          text += chunk;
        });
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }),
        );
      },
    );
    asked.on('error', reject);
    asked.end(body);
  });
}

describe.each(named('.Dockerfile'))('%s', (name) => {
  const lines = read(name)
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  const of = (instruction: string) =>
    lines
      .filter((line) => line.startsWith(`${instruction} `))
      .map((line) => line.slice(instruction.length + 1));

  it('has instructions that are there, and copies what is there', () => {
    const known = /^(?:FROM|WORKDIR|COPY|RUN|ENV|USER|VOLUME|EXPOSE|HEALTHCHECK|STOPSIGNAL|ENTRYPOINT|CMD) /;
    expect(lines.filter((line) => !known.test(line))).toEqual([]);
    // The one that `npm pack` puts there, under the name that npm gives it.
    const { name: ourselves } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      name: string;
    };
    const tarball = `${ourselves.replace('@', '').replace('/', '-')}-*.tgz`;
    const stages = of('FROM').flatMap((from) => / AS (\w+)$/.exec(from)?.[1] ?? []);
    for (const copy of of('COPY')) {
      const [, stage, source = ''] = /^(?:--from=(\w+) )?(\S+) \S+$/.exec(copy)!;
      expect([
        copy,
        stage ? stages.includes(stage) : source === tarball || existsSync(join(deploy, source)),
      ]).toEqual([copy, true]);
    }
    for (const run of of('RUN')) execFileSync('/bin/sh', ['-n'], { input: run });
  });

  it('starts a side that listens for others, and asks it whether it lives', async () => {
    const [entry] = of('ENTRYPOINT').map((line) => JSON.parse(line));
    const [args] = of('CMD').map((line) => JSON.parse(line));
    expect(entry).toEqual(['cloud-cli']);
    const port = of('EXPOSE')[0]!;
    const env = freshEnvironment({
      CLOUD_CLI_JWT_ISSUER: 'https://login.example.com/',
      CLOUD_CLI_JWT_AUDIENCE: 'cloud-cli',
      CLOUD_CLI_JWKS_URL: 'https://127.0.0.1:1/jwks.json',
      CLOUD_CLI_CONTROLLER_URL: 'http://127.0.0.1:1',
      CLOUD_CLI_CONFIG: join(deploy, /COPY (\S+json) /.exec(read(name))![1]!),
    });
    const here = {
      CLOUD_CLI_AUDIT_URL: `sqlite:${env.HOME}/audit.sqlite`,
      CLOUD_CLI_STORE_URL: `file:${env.HOME}/store`,
    };
    // On loopback alone here, and on a port of its own.
    const own = String(await freePort());
    const served = [...args.map((arg: string) => arg.replace('0.0.0.0', '127.0.0.1')), '--port', own];
    const [program, ...question] = JSON.parse(of('HEALTHCHECK')[0]!.replace('CMD ', '')) as string[];
    expect(program).toBe('node');
    const ask = () =>
      collect(
        spawn(
          process.execPath,
          question.map((arg) => arg.replace(port, own)),
        ),
      ).then(({ code }) => code);
    expect(await ask()).toBe(1);
    const child = spawn(process.execPath, [join(root, 'bin/cloud-cli.js'), ...served], {
      env: { ...env, ...here },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    await until(async () => (await ask()) === 0);
  });
});

/** What stands here for no reason would be a file that nobody holds. */
it('holds every file of examples/deploy', () => {
  const held = [
    ...named('.service'),
    ...named('.Dockerfile'),
    'nginx.conf',
    'config.json',
    'admin.json',
    'controller.env',
    'admin.env',
  ];
  expect(readdirSync(deploy).toSorted()).toEqual(held.toSorted());
});
