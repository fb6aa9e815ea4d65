/**
 * Nothing without words: every command, flag, variable, exit status and setting has its help, its man page and its
 * place in the README, and no page tells of what is not there.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import type { Command, Option } from 'commander';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { buildProgram, everyCommand } from '../src/cli/program.js';
import { configSchema } from '../src/config.js';
import { exitCodes } from '../src/errors.js';
import { locate } from '../src/locate.js';
import { fieldsOf, listHandlers } from '../src/request.js';
import { root } from './support.js';

const streams = () => ({ stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() });
const program = await buildProgram({ ...streams(), env: {} });
const read = (...path: string[]) => readFileSync(join(root, ...path), 'utf8');
const readme = read('README.md');
const documents = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.md'))
  .map((name) => read('docs', name));
const pages = new Map(readdirSync(join(root, 'man')).map((name) => [name, read('man', name)]));

/** Commands that the help shows, by the words that one types behind `cloud-cli`. */
const commands = new Map<string, Command>(visible(program, []));

function visible(command: Command, words: string[]): [string, Command][] {
  const shown = command.createHelp().visibleCommands(command);
  return [
    [words.join(' '), command],
    ...command.commands
      .filter((child) => shown.includes(child))
      .flatMap((child) => visible(child, [...words, child.name()])),
  ];
}

/** The man page of a command; subcommands stand in that of the command above them. */
const pageOf = (name: string) =>
  `${['cloud-cli', ...name.split(' ').slice(0, 1)].filter(Boolean).join('-')}.1`;

/** The flags of a command but --help, which all have and cloud-cli.1 tells of. */
const flagsOf = (command: Command): Option[] =>
  command
    .createHelp()
    .visibleOptions(command)
    .filter(({ long }) => long !== '--help');

/** Each entry of a list in a page: what stands behind `.It`. */
const entries = (page: string) => [...page.matchAll(/^\.It (.+)$/gm)].map((match) => match[1]!);
const flagsIn = (text: string) => [...text.matchAll(/\bFl -([a-z][\w-]*)/g)].map((match) => `--${match[1]}`);

/** What describes each setting, by its path; members of an array's items, and of what a map holds, count as its own. */
const settings = new Map(settingsOf(z.toJSONSchema(configSchema(), { io: 'input' })));

function settingsOf(schema: unknown, above: string[] = []): [string, string | undefined][] {
  const { properties, items, additionalProperties } = schema as {
    properties?: Record<string, { description?: string }>;
    items?: unknown;
    additionalProperties?: unknown;
  };
  if (items !== undefined) return settingsOf(items, above);
  if (typeof additionalProperties === 'object') return settingsOf(additionalProperties, above);
  return Object.entries(properties ?? {}).flatMap(([name, member]) => [
    [[...above, name].join('.'), member.description],
    ...settingsOf(member, [...above, name]),
  ]);
}

const lastName = (path: string) => path.split('.').at(-1)!;

/** Every variable of ours that the source names, and those that its secret fields make. */
function variables(): string[] {
  const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' });
  const named = files
    .filter((name) => name.endsWith('.ts'))
    .flatMap((name) => read('src', name).match(/\bCLOUD_CLI_[A-Z_]*[A-Z]\b/g) ?? []);
  const secret = listHandlers()
    .flatMap(fieldsOf)
    .filter((field) => field.secret)
    .map(({ name }) => `CLOUD_CLI_${name.toUpperCase()}`);
  // The code of a warning of the file store is no variable.
  return [...new Set([...named, ...secret])].filter((name) => name !== 'CLOUD_CLI_UNREADABLE');
}

/** As words of their own. */
const isInReadme = (text: string) => new RegExp(`(?<![\\w-])${text.trim()}(?![\\w-])`).test(readme);

describe.each([...commands])('cloud-cli %s', (name, command) => {
  const words = ['cloud-cli', name].filter(Boolean).join(' ');
  let help = '';
  command.configureOutput({
    writeOut: (text) => {
      help += text;
    },
  });
  command.outputHelp();

  it('says what it does, explains each argument and flag, and gives an example of itself', () => {
    expect(command.description()).not.toBe('');
    for (const option of flagsOf(command)) expect([option.long, option.description]).not.toContain('');
    for (const argument of command.registeredArguments)
      expect([argument.name(), argument.description]).not.toContain('');
    expect(help).toMatch(/^Example/m);
    expect(help.slice(help.search(/^Example/m))).toContain(words);
  });

  it('fits a terminal of 80 columns, and says of its own help what it says of others', () => {
    expect(help.split('\n').filter((line) => line.length > 80)).toEqual([]);
    expect(help).not.toContain('display help for command');
  });

  it('is in a man page, with each of its flags', () => {
    const page = pages.get(pageOf(name)) ?? '';
    expect(page).toContain(
      name === '' ? '.Nm cloud-cli\n' : `.Nm ${words.split(' ').slice(0, 2).join('-')}\n`,
    );
    expect([words, new RegExp(`^\\.Nm ${words}(?: |$)`, 'm').test(page)]).toEqual([words, true]);
    const [, sub] = name.split(' ');
    if (sub !== undefined) expect(entries(page)).toContain(`Cm ${sub}`);
    // A page that says so shares the request's flags with another.
    const shared = /^The request flags are those of\n\.Xr (\S+) 1/m.exec(page)?.[1];
    const told = [page, pages.get(`${shared}.1`) ?? ''].flatMap(entries).flatMap(flagsIn);
    for (const { long } of flagsOf(command)) expect(told).toContain(long);
  });

  it('is in the README', () => {
    expect([name, isInReadme(name.includes(' ') ? name : words)]).toEqual([name, true]);
  });
});

describe('the manual', () => {
  it('has no page, command or flag that is not there', () => {
    const tops = [...commands.keys()].filter((name) => !name.includes(' '));
    expect([...pages.keys()].toSorted()).toEqual([...tops.map(pageOf), 'cloud-cli-config.5'].toSorted());
    const all = new Set([...commands.values()].flatMap(flagsOf).map(({ long }) => long!));
    for (const [file, page] of pages) {
      expect([file, flagsIn(page).filter((flag) => flag !== '--help' && !all.has(flag))]).toEqual([file, []]);
      const own = [...commands].filter(([name]) => pageOf(name) === file);
      const ownFlags = new Set(own.flatMap(([, command]) => flagsOf(command)).map(({ long }) => long!));
      const told = entries(page).flatMap(flagsIn);
      expect([file, told.filter((flag) => flag !== '--help' && !ownFlags.has(flag))]).toEqual([file, []]);
      const subcommands = entries(page).flatMap((entry) => /^Cm (\S+)/.exec(entry)?.slice(1) ?? []);
      const there = own.map(([name]) => name.split(' ')[1]);
      expect([file, subcommands.filter((sub) => !there.includes(sub))]).toEqual([file, []]);
      const references = [...page.matchAll(/^\.Xr (cloud-cli\S*) (\d)/gm)].map(
        ([, to, part]) => `${to}.${part}`,
      );
      expect([file, references.filter((to) => !pages.has(to))]).toEqual([file, []]);
    }
  });

  it('is installed with the package, page by page', () => {
    const { man } = JSON.parse(read('package.json')) as { man: string[] };
    expect(man).toEqual([...pages.keys()].toSorted().map((name) => `./man/${name}`));
  });

  it('has an example on each page, of commands and flags that are there', () => {
    for (const [file, page] of pages) {
      const [, examples = ''] = page.split('.Sh EXAMPLES\n');
      expect([file, /^\.Bd /m.test(examples)]).toEqual([file, true]);
    }
    for (const text of [...pages.values(), ...documents, readme]) {
      const joined = text.replace(/\\e?\n/g, ' ');
      for (const [line] of joined.matchAll(/^(?:\$ )?cloud-cli [a-z].*$/gm))
        expect([line, wrong(line)]).toEqual([line, []]);
    }
  });

  it('passes mandoc’s lint', ({ skip }) => {
    const mandoc = locate('mandoc', '/usr/local/bin:/usr/bin:/bin');
    skip(mandoc === undefined && process.env.CI !== 'true', 'mandoc is not on this host');
    const files = [...pages.keys()].map((name) => join(root, 'man', name));
    const lint = () =>
      execFileSync(mandoc ?? 'mandoc', ['-T', 'lint', '-W', 'warning', ...files], { encoding: 'utf8' });
    expect(lint()).toBe('');
  });

  it('tells of every variable, exit status and setting, as the README does', () => {
    const main = entries(pages.get('cloud-cli.1')!);
    const ours = main.filter((entry) => /^Ev CLOUD_CLI_/.test(entry)).map((entry) => entry.slice(3));
    expect(ours.toSorted()).toEqual(variables().toSorted());
    expect(variables().filter((name) => !readme.includes(`\`${name}\``))).toEqual([]);
    expect([main.includes('Ev NO_COLOR'), isInReadme('NO_COLOR')]).toEqual([true, true]);
    const statuses = Object.entries(exitCodes);
    expect(statuses.filter(([code, status]) => !main.includes(`${status} Pq Ql ${code}`))).toEqual([]);
    const row = (status: number, code: string) =>
      new RegExp(`^\\|[\\d, ]* ${status}(?: |,)[\\d, ]*\\|.*\`${code}\``, 'm');
    expect(statuses.filter(([code, status]) => !row(status, code).test(readme))).toEqual([]);
    const config = entries(pages.get('cloud-cli-config.5')!).map((entry) => entry.replace(/^Ic /, ''));
    expect(config.toSorted()).toEqual([...settings.keys()].map(lastName).toSorted());
    expect([...settings.keys()].filter((path) => !isInReadme(lastName(path).replace('$', '\\$')))).toEqual(
      [],
    );
  });

  it('describes each setting where an editor shows it, in the published schema', () => {
    expect([...settings].filter(([, description]) => !description)).toEqual([]);
  });
});

/** What a line of an example names that is not there. */
function wrong(line: string): string[] {
  const [own = ''] = line.replace(/^\$ /, '').split(/ -- | \| | >| <|\)| \.\.\./);
  const words = own.split(' ').slice(1);
  let command = program;
  const next = () => command.commands.find((child) => child.name() === words[0]);
  for (let child = next(); child; child = next()) {
    command = child;
    words.shift();
  }
  if (command === program) return words;
  const known = everyFlag(command);
  return words.filter((word) => /^--\w/.test(word) && !known.includes(word.split('=')[0]!));
}

function everyFlag(command: Command): string[] {
  return everyCommand(command).flatMap(({ options }) => options.map(({ long }) => long ?? ''));
}

it('the help of a mint says which flags are required, and what the others are by default', () => {
  const command = commands.get('mint')!;
  for (const { name, required, default: value } of listHandlers().flatMap(fieldsOf)) {
    const { description } = flagsOf(command).find(({ long }) => long === `--${name.replaceAll('_', '-')}`)!;
    expect([name, description.endsWith('Required.')]).toEqual([name, required]);
    expect([name, description.endsWith(`Default ${value}.`)]).toEqual([name, value !== undefined]);
  }
});
