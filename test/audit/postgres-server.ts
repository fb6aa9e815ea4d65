/** A PostgreSQL of a test's own: on a free port of the loopback, in a directory that goes away with it. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { freePort, until } from '../support.js';

/** Where Debian has the server's programs, newest first; undefined where there are none. */
const bin = readdirIfThere('/usr/lib/postgresql')
  .sort((left, right) => Number(right) - Number(left))
  .map((version) => join('/usr/lib/postgresql', version, 'bin'))
  .find((directory) => existsSync(join(directory, 'postgres')));

/** Why tests of PostgreSQL cannot run here, and how they could; where CI is true that is a failure. */
export const whyNoPostgres =
  bin === undefined ? 'there is no PostgreSQL server here: apt-get install postgresql' : undefined;

if (whyNoPostgres !== undefined) {
  if (process.env.CI === 'true') throw new Error(whyNoPostgres);
  console.warn(`Tests of PostgreSQL are skipped: ${whyNoPostgres}`);
}

export class PostgresServer {
  readonly directory: string;
  readonly port: number;
  /** Of every role. */
  readonly password: string;
  #process: ChildProcess | undefined;
  #databases = 0;

  private constructor(directory: string, port: number, password: string) {
    this.directory = directory;
    this.port = port;
    this.password = password;
    if (owner) chownSync(directory, owner.uid, owner.gid);
  }

  static async start(settings: Record<string, string> = {}): Promise<PostgresServer> {
    const password = `${randomBytes(12).toString('hex')}/@?`;
    const server = new PostgresServer(newDirectory(), await freePort(), password);
    const made = ['-D', server.data, '-U', 'postgres', '-A', 'scram-sha-256', '-E', 'UTF8', '--locale=C'];
    server.#make('initdb', ...made, `--pwfile=${server.put('password', password)}`, '--no-sync');
    server.configure({ listen_addresses: '127.0.0.1', ...server.#place, ...settings });
    await server.run();
    return server;
  }

  /** Starts a server that follows this one and takes no write of its own. */
  async startStandby(): Promise<PostgresServer> {
    const standby = new PostgresServer(newDirectory(), await freePort(), this.password);
    const from = ['-h', '127.0.0.1', '-p', String(this.port), '-U', 'postgres'];
    standby.#make('pg_basebackup', '-D', standby.data, '-R', '-c', 'fast', '--no-sync', ...from);
    standby.configure(standby.#place);
    await standby.run();
    return standby;
  }

  get #place(): Record<string, string> {
    return { port: String(this.port), unix_socket_directories: this.directory };
  }

  #make(program: string, ...args: string[]): void {
    const env = { ...process.env, PGPASSWORD: this.password };
    execFileSync(join(bin!, program), args, { ...owner, cwd: this.directory, stdio: 'ignore', env });
  }

  get data(): string {
    return join(this.directory, 'data');
  }

  /** Adds settings, which hold from the next start. */
  configure(settings: Record<string, string>): void {
    const lines = Object.entries(settings).map(([name, value]) => `${name} = '${value}'\n`);
    writeFileSync(join(this.data, 'postgresql.conf'), lines.join(''), { flag: 'a' });
  }

  /** Puts a file beside the data that only the server's user can read. */
  put(name: string, text: string): string {
    const file = join(this.directory, name);
    writeFileSync(file, text, { mode: 0o600 });
    if (owner) chownSync(file, owner.uid, owner.gid);
    return file;
  }

  async run(): Promise<void> {
    this.#process = spawn(join(bin!, 'postgres'), ['-D', this.data], {
      ...owner,
      cwd: this.directory,
      stdio: 'ignore',
    });
    await until(() => this.admin('SELECT 1').catch(() => undefined));
  }

  /** Stops it: `fast` ends all sessions properly, `immediate` is a crash. */
  async halt(how: 'fast' | 'immediate' = 'fast'): Promise<void> {
    const child = this.#process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill(how === 'fast' ? 'SIGINT' : 'SIGQUIT');
    await ended;
  }

  async restart(how: 'fast' | 'immediate' = 'fast'): Promise<void> {
    await this.halt(how);
    await this.run();
  }

  async stop(): Promise<void> {
    await this.halt('immediate');
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 10 });
  }

  /** The URL of a database, as a role of it. */
  url(database: string, role = 'postgres', port = this.port): string {
    return `postgres://${role}:${encodeURIComponent(this.password)}@127.0.0.1:${port}/${database}`;
  }

  /** Makes an empty database, and gives its name. */
  async newDatabase(options = ''): Promise<string> {
    this.#databases += 1;
    const name = `ledger_${this.#databases}`;
    await this.admin(`CREATE DATABASE ${name} ${options}`);
    return name;
  }

  /** Makes a role that can log in. */
  async createRole(name: string): Promise<void> {
    await this.admin(`CREATE ROLE ${name} LOGIN PASSWORD '${this.password}'`);
  }

  /** Runs SQL as the superuser. */
  async admin(sql: string, database = 'postgres'): Promise<pg.QueryResultRow[]> {
    return this.as('postgres', sql, database);
  }

  /** Runs SQL as a role; of several statements it gives the last one's rows. */
  async as(role: string, sql: string, database: string): Promise<pg.QueryResultRow[]> {
    const client = new pg.Client({ connectionString: this.url(database, role) });
    await client.connect();
    try {
      const results = await client.query(sql);
      return [results].flat().at(-1)!.rows;
    } finally {
      await client.end();
    }
  }
}

/** The server refuses to run as root. */
const owner = process.getuid?.() === 0 ? userOf('postgres') : undefined;

function userOf(name: string): { uid: number; gid: number } | undefined {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith(`${name}:`));
  const [, , uid, gid] = line?.split(':') ?? [];
  return uid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) };
}

const newDirectory = () => mkdtempSync(join(tmpdir(), 'cloud-cli-postgres-'));

function readdirIfThere(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory) : [];
}
