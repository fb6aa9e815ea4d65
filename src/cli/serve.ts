/** `cloud-cli serve`: the controller on the host that mints, or the admin back end's side, over HTTP. */
import { hostname, networkInterfaces } from 'node:os';
import { Argument, Command, InvalidArgumentError } from 'commander';
import { given, loadSettings, type Settings } from '../config.js';
import { CloudCliError, exitCodes, type Issue, invalidRequest } from '../errors.js';
import type { HttpHandler } from '../http/app.js';
import type { Log } from '../http/log.js';
import { ExitStatus, type Io, say } from './io.js';

interface Options {
  host: string;
  port?: number;
  allowAll?: boolean;
}

/** A handler, and what to close behind it. */
interface Side {
  handler: HttpHandler;
  close(): Promise<void>;
}

const ports = { controller: 8081, admin: 8080 } as const;

export function serveCommand(io: Io): Command {
  return new Command('serve')
    .description('Serve the controller, on the host that mints, or the admin side, which forwards to it.')
    .addArgument(new Argument('<side>', 'controller or admin').choices(['controller', 'admin']))
    .option('--host <host>', 'The address to listen on.', '127.0.0.1')
    .option('--port <number>', 'The port; 0 picks one. Default 8081, and 8080 for admin.', port)
    .option('--allow-all', 'Let the controller start without allow rules.')
    .addHelpText(
      'after',
      "\nThe issuer of the operators' tokens is given in CLOUD_CLI_JWT_ISSUER,\nCLOUD_CLI_JWT_AUDIENCE and CLOUD_CLI_JWKS_URL, the controller behind the admin\nside in CLOUD_CLI_CONTROLLER_URL.\n\nExample:\n  cloud-cli serve controller --port 8081",
    )
    .action(async (side: keyof typeof ports, options: Options) => {
      const settings = loadSettings(io.env);
      const { pino } = await import('pino');
      const log = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime }, io.stderr);
      const hosts = [...(settings.http.hosts ?? []), ...namesOf(options.host)];
      const opened =
        side === 'admin'
          ? await admin(io, settings, hosts, log)
          : await controller(io, settings, hosts, log, options);
      try {
        const { serveHttp } = await import('../http/server.js');
        const serving = await serveHttp(opened.handler, options.host, options.port ?? ports[side]).catch(
          unbindable,
        );
        io.stderr.write(`cloud-cli: listening on ${serving.url}\n`);
        const signal = await untilAsked(serving.close);
        // The stop of a service is no failure; Ctrl-C is what it is everywhere.
        if (signal !== 'SIGTERM') throw new ExitStatus(exitCodes.cancelled);
      } finally {
        await opened.close();
      }
    });
}

async function controller(
  io: Io,
  settings: Settings,
  hosts: string[],
  log: Log,
  { allowAll }: Options,
): Promise<Side> {
  const issuer = issuerOf(io.env);
  if (!settings.allow?.length && !allowAll) {
    throw invalidRequest(
      [{ field: 'allow', message: 'has no rule, so that every operator could mint everything' }],
      'Add rules to `allow` in the configuration, or start with --allow-all.',
    );
  }
  const { openCredentialStore } = await import('../stores/open.js');
  const { openAuditStore } = await import('../audit/open.js');
  const { createControllerHandler } = await import('../http/controller.js');
  const store = await openCredentialStore(settings.store_url, { recipients: settings.age_recipients });
  const audit = await openAuditStore(settings.audit_url);
  return {
    handler: createControllerHandler({
      ...issuer,
      ...settings.http,
      hosts,
      log,
      audit,
      persist: store.persist,
      ready: store.ready,
      stored: store.describe,
      credentials: store.list,
      policy: settings.allow,
      binaries: settings.binaries,
      env: io.env,
    }),
    close: async () => {
      await audit.close();
      await store.close();
    },
  };
}

async function admin(io: Io, settings: Settings, hosts: string[], log: Log): Promise<Side> {
  const { createAdminHandler } = await import('../http/admin.js');
  const [controller_url = ''] = required(io.env, ['CLOUD_CLI_CONTROLLER_URL', ...issuerNames]);
  const controller = new URL(url('CLOUD_CLI_CONTROLLER_URL', controller_url, true));
  if (controller.protocol === 'http:' && !isLoopback(controller))
    say(
      io,
      'warning',
      `the operators' tokens go to ${controller.host} in the clear, as CLOUD_CLI_CONTROLLER_URL is not https`,
    );
  if (given(io.env, 'CLOUD_CLI_OIDC_CLIENT_ID') === undefined)
    say(
      io,
      'warning',
      'the page cannot sign in without CLOUD_CLI_OIDC_CLIENT_ID; the routes work all the same',
    );
  return {
    handler: createAdminHandler({
      ...issuerOf(io.env),
      ...settings.http,
      hosts,
      log,
      controller_url: controller.href,
      oidc_client_id: given(io.env, 'CLOUD_CLI_OIDC_CLIENT_ID'),
    }),
    close: async () => {},
  };
}

const issuerNames = ['CLOUD_CLI_JWT_ISSUER', 'CLOUD_CLI_JWT_AUDIENCE', 'CLOUD_CLI_JWKS_URL'];

function issuerOf(env: NodeJS.ProcessEnv) {
  const [issuer = '', audience = '', jwks_url = ''] = required(env, issuerNames);
  return { issuer, audience, jwks_url: url('CLOUD_CLI_JWKS_URL', jwks_url, false) };
}

/** @throws CloudCliError `invalid_request`, with an issue for each variable that is missing */
function required(env: NodeJS.ProcessEnv, names: readonly string[]): string[] {
  const missing: Issue[] = names
    .filter((name) => given(env, name) === undefined)
    .map((field) => ({ field, message: 'must be set to serve' }));
  if (missing.length > 0)
    throw invalidRequest(missing, 'Set it in the environment; `man cloud-cli-serve` tells what each is for.');
  return names.map((name) => env[name]!);
}

/** Keys that come in the clear could be anybody's; a controller may stand behind a proxy that speaks for it. */
function url(field: string, text: string, inTheClear: boolean): string {
  const parsed = URL.canParse(text) ? new URL(text) : undefined;
  if (parsed?.protocol === 'https:' || (parsed?.protocol === 'http:' && (inTheClear || isLoopback(parsed))))
    return text;
  throw invalidRequest(
    [{ field, message: `must be an ${inTheClear ? 'http or https' : 'https'} URL` }],
    inTheClear ? 'Write it as http://127.0.0.1:8081.' : 'Plain http is for 127.0.0.1 alone.',
  );
}

function isLoopback({ hostname: name }: URL): boolean {
  return /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(name);
}

/** The names by which a host that listens there may be called; on every address, by each that it has. */
function namesOf(host: string): string[] {
  if (!['0.0.0.0', '::', ''].includes(host)) return [bracketed(host)];
  const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  return [hostname(), ...addresses.map(({ address }) => bracketed(address.replace(/%.*$/, '')))];
}

function bracketed(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}

/** Waits for a signal, then for `close`; another signal has it wait no longer. */
async function untilAsked(close: () => Promise<void>): Promise<NodeJS.Signals> {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  return new Promise((resolve, reject) => {
    let first: NodeJS.Signals | undefined;
    const stop = (signal: NodeJS.Signals) => {
      first ??= signal;
      const asked = first;
      close().then(() => {
        for (const each of signals) process.off(each, stop);
        resolve(asked);
      }, reject);
    };
    for (const each of signals) process.on(each, stop);
  });
}

function unbindable(error: NodeJS.ErrnoException): never {
  throw new CloudCliError('invalid_request', `cannot listen there (${error.code ?? error.name})`, {
    hint: 'Another process may listen on that port: name another with --port, or an address of this host with --host.',
    issues: [
      {
        field: error.code === 'EADDRINUSE' || error.code === 'EACCES' ? 'port' : 'host',
        message: 'cannot be listened on',
      },
    ],
  });
}

function port(text: string): number {
  if (!/^[0-9]{1,5}$/.test(text) || Number(text) > 65_535)
    throw new InvalidArgumentError('It must be a port, 0 to 65535.');
  return Number(text);
}
