/** The wizard's parts that need no terminal. */
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { lookOf, wrap } from '../../src/cli/look.js';
import { lastAnswers, lastPick, rememberAnswers, rememberPick } from '../../src/cli/wizard/answers.js';
import { factLines } from '../../src/cli/wizard/facts.js';
import { problemOf, readText, writeText } from '../../src/cli/wizard/field-text.js';
import { repeatLine } from '../../src/cli/wizard/repeat.js';
import { changesSince } from '../../src/cli/wizard/review.js';
import { duration } from '../../src/duration.js';
import { handlers } from '../../src/index.js';
import { fieldsOf } from '../../src/request.js';
import { requests, temporaryDirectory } from '../support.js';

const fields = fieldsOf(handlers.aws);
const field = (name: string) => fields.find((candidate) => candidate.name === name)!;

function look(env: NodeJS.ProcessEnv = {}, columns = 80) {
  const stream = Object.assign(new Writable(), { isTTY: true, columns, rows: 24 });
  return lookOf({ stdin: process.stdin, stdout: stream, stderr: stream, env });
}

describe('an answer as text', () => {
  it('is read by its type, and written so that it reads back the same', () => {
    for (const [type, text, value] of [
      ['integer', '900', 900],
      ['integer', 'soon', 'soon'],
      ['list', 'a, b,c', ['a', 'b', 'c']],
      ['map', 'team=core, env=a=b', { team: 'core', env: 'a=b' }],
      ['string', 'a, b', 'a, b'],
    ] as const) {
      expect(readText(type, text)).toEqual(value);
      expect(readText(type, writeText(value))).toEqual(value);
    }
  });

  it("is refused by its field's own schema, whatever else the request lacks", () => {
    expect(problemOf('aws', field('role_arn'), 'deploy')).toMatch(/^must be the ARN of an IAM role/);
    expect(problemOf('aws', field('role_arn'), requests.aws().role_arn)).toBeUndefined();
    expect(problemOf('aws', field('duration_seconds'), '1')).toBeDefined();
    expect(problemOf('aws', field('token_code'), '12345')).toMatch(/six digits/);
    expect(problemOf('aws', field('tags'), 'team')).toMatch(/key=value/);
    expect(problemOf('aws', field('tags'), 'team=a, team=b')).toMatch(/more than once/);
    expect(problemOf('aws', field('role_arn'), '')).toBe('is required');
    expect(problemOf('aws', field('region'), '')).toBeUndefined();
  });
});

describe('the last answers', () => {
  const answers = { role_arn: requests.aws().role_arn, external_id: 'canary-id', duration_seconds: 900 };

  it('are kept for their owner alone, without secrets', () => {
    const home = join(temporaryDirectory(), 'home');
    rememberPick(home, 'aws');
    rememberAnswers(home, 'aws', fields, answers);
    const file = join(home, 'answers.json');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, 'utf8')).not.toContain('canary');
    expect(lastPick(home)).toBe('aws');
    expect(lastAnswers(home, 'aws', fields)).toEqual({
      role_arn: answers.role_arn,
      duration_seconds: 900,
    });
    expect(lastAnswers(home, 'gcp', fieldsOf(handlers.gcp))).toEqual({});
  });

  it('are offered only while they are answers, and a spoilt file is no obstacle', () => {
    const home = temporaryDirectory();
    const file = join(home, 'answers.json');
    writeFileSync(
      file,
      JSON.stringify({ answers: { aws: { role_arn: 'x\u001b[31m', region: 'eu-west-1', nope: 1 } } }),
    );
    expect(lastAnswers(home, 'aws', fields)).toEqual({ region: 'eu-west-1' });
    for (const text of ['', '[]', 'null', '{"answers":{"aws":null}}', '{"answers":"aws"}']) {
      writeFileSync(file, text);
      expect(lastAnswers(home, 'aws', fields)).toEqual({});
    }
  });

  it('are given up where the home cannot be written', () => {
    const home = join(temporaryDirectory(), 'file');
    mkdirSync(join(home, 'answers.json'), { recursive: true });
    expect(() => rememberAnswers(home, 'aws', fields, answers)).not.toThrow();
  });
});

describe('what changed since the last mint', () => {
  const run = (run_id: string, ...flags: string[]) => ({
    run_id,
    argv: ['aws', 'sts', 'assume-role', `--role-session-name=cloud-cli-${run_id}`, ...flags],
  });

  it('is nothing when only the run and its session are others', () => {
    expect(changesSince(run('1', '--region=a'), run('2', '--region=a'))).toEqual([]);
  });

  it('names what came, went and is another', () => {
    expect(
      changesSince(
        run('1', '--region=a', '--duration-seconds=3600', '--old'),
        run('2', '--duration-seconds=900', '--external-id=****'),
      ),
    ).toEqual(['- --region=a', '--duration-seconds: 3600 -> 900', '- --old', '+ --external-id=****']);
  });

  it('is the whole command when that is another', () => {
    expect(changesSince({ run_id: '1', argv: ['az', 'account', '--x'] }, run('2'))).toEqual([
      'was: az account --x',
    ]);
  });
});

describe('the line that repeats a mint', () => {
  const request = requests.aws();
  const { provider, ...answers } = request;

  it('holds what was answered, quoted, and asks for secrets instead of holding them', () => {
    const line = repeatLine(provider, fields, {
      ...answers,
      external_id: 'canary-id',
      policy_arns: ['arn:aws:iam::aws:policy/A', 'arn:aws:iam::aws:policy/B'],
      tags: { '-odd key': 'it is' },
    });
    expect(line).toBe(
      'cloud-cli mint --provider aws --target-credential-key idp:aws:prod ' +
        '--role-arn arn:aws:iam::123456789012:role/deploy --external-id-file - ' +
        '--policy-arns arn:aws:iam::aws:policy/A --policy-arns arn:aws:iam::aws:policy/B ' +
        "--tags '-odd key=it is'",
    );
  });

  it('names the target, and what was answered besides it or otherwise', () => {
    const target = { name: 'prod', given: answers };
    expect(repeatLine(provider, fields, answers, target)).toBe('cloud-cli mint prod');
    expect(repeatLine(provider, fields, { ...answers, region: 'eu-west-1' }, target)).toBe(
      'cloud-cli mint prod --region eu-west-1',
    );
  });

  it('leaves the target out when something of it was taken away', () => {
    const target = { name: 'prod', given: { ...answers, region: 'eu-west-1' } };
    expect(repeatLine(provider, fields, answers, target)).toMatch(/^cloud-cli mint --provider aws /);
  });
});

describe('what a terminal can show', () => {
  it('is ASCII where the locale or the terminal says so', () => {
    for (const env of [{ LC_ALL: 'C' }, { LANG: 'POSIX' }, { TERM: 'dumb' }, { TERM: 'linux' }]) {
      const { tick, text, theme } = look(env);
      const tip = theme.style.keysHelpTip([
        ['↑↓', 'navigate'],
        ['⏎', 'select'],
      ]);
      const all = [tick, text('the role’s “policy” – ünï'), JSON.stringify(theme), tip].join('');
      expect(all.replaceAll('\u001b', '')).toMatch(/^[\x20-\x7e]*$/);
    }
    expect(look({ LANG: 'en_US.UTF-8' }).unicode).toBe(true);
    expect(look({}).unicode).toBe(true);
  });

  it('has colours unless NO_COLOR is set to something', () => {
    expect(look({ NO_COLOR: '' }).bold('x')).toContain('\u001b[');
    expect(look({ NO_COLOR: '1' }).bold('x')).toBe('x');
    expect(look({ TERM: 'dumb' }).bold('x')).toBe('x');
  });

  it('never gets what it would obey', () => {
    expect(look().text('a\u001b[31mb\u202ec\nd')).toBe('a?[31mb?c d');
  });

  it('wraps at spaces, and never inside a word, which is to be copied', () => {
    expect(wrap('to be or not to be', 10)).toEqual(['to be or', 'not to be']);
    expect(wrap('abcdefghijklmnop q', 10)).toEqual(['abcdefghijklmnop', 'q']);
  });

  it('has names and values side by side, or below one another where it is narrow', () => {
    const facts = [
      ['Run', 'one'],
      ['What to do', ['first', 'second']],
    ] as const;
    expect(factLines(facts, look({ NO_COLOR: '1' }))).toEqual([
      '  Run         one',
      '  What to do  first',
      '              second',
    ]);
    expect(factLines(facts, look({ NO_COLOR: '1' }, 40))).toEqual([
      'Run',
      '  one',
      'What to do',
      '  first',
      '  second',
    ]);
  });

  it('says a lifetime as a person does', () => {
    expect([45, 900, 3600, 5400, 100_800, 0].map(duration)).toEqual([
      '45s',
      '15m',
      '1h',
      '1h 30m',
      '28h',
      '0s',
    ]);
  });
});
