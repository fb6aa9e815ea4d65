/** Runs schedules one after the other: a host that the faults befall, and a witness that says what is left. */
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Child } from './child.mjs';
import { canaries } from './scenario.mjs';
import { behind } from './shim.mjs';
import { hits, readTrace } from './trace.mjs';

const { newRunId } = await import('../../dist/run-id.js');

export class Lane {
  #directory;
  #environment;
  #host;
  #witness;
  #asked = 0;

  /** With a `variant` of broken.mjs the host is broken, and the witness is not. */
  constructor(directory, shim, variant = '') {
    this.#directory = directory;
    this.#environment = { ...behind(shim), FAULTS_BREAK: variant };
    mkdirSync(directory);
    this.#witness = new Child('./witness.mjs', process.env);
  }

  /**
   * Runs one schedule in a directory of its own, which goes away unless `keep`.
   * @param template a directory with the home that is there before, or undefined
   * @returns `{violations, results, died, hit, directory}`
   */
  async run(schedule, template, keep = false) {
    const directory = join(this.#directory, String(schedule.number));
    mkdirSync(directory, { mode: 0o700 });
    if (template) cpSync(join(template, 'home'), join(directory, 'home'), { recursive: true });
    const started = Date.now();
    const run_id = schedule.given ? newRunId() : undefined;
    const order = { directory, schedule, scenario: schedule.scenario, run_id, canary: canaries.new };
    const { answer, rivals, output } = await this.#faulted(order);
    const results = [...(answer.results ?? []), ...rivals.map((result) => ({ ...result, rival: true }))];
    const died = answer.died;
    if (died && schedule.again) results.push({ again: true, ...(await this.ask({ mint: order })) });
    else if (answer.results?.length > 1) answer.results[1].again = true;
    if (schedule.another)
      results.push({ another: true, ...(await this.ask({ mint: { ...order, run_id: undefined } })) });
    const violations = await this.ask({ check: { directory, schedule, results, started, output } });
    if (died && !schedule.dies) violations.push(`the process died (${died}): ${output}`);
    const trace = readTrace(join(directory, 'log'));
    if (!keep) rmSync(directory, { recursive: true, force: true, maxRetries: 10 });
    return {
      violations,
      results,
      died,
      run_id,
      started,
      hit: isHit(schedule, trace, died),
      trace,
      directory,
    };
  }

  async #faulted(order) {
    const { dies } = order.schedule;
    if (!dies) this.#host ??= this.#newHost();
    const host = dies ? this.#newHost() : this.#host;
    const rivals = [];
    const rival = async () => {
      rivals.push(this.ask({ mint: { ...order, run_id: undefined } }));
      await rivals[0];
      host.tell('rival ended');
    };
    const answer = await host.ask(
      order,
      (message) => message.results !== undefined,
      (message) => message === 'rival' && rival(),
    );
    const { output } = host;
    host.output = '';
    if (answer.died && host === this.#host) this.#host = undefined;
    if (dies) await host.end();
    return { answer, output, rivals: await Promise.all(rivals) };
  }

  #newHost() {
    return new Child('./host.mjs', this.#environment);
  }

  /** Asks the witness. */
  async ask(question) {
    this.#asked += 1;
    const id = this.#asked;
    const answer = await this.#witness.ask({ id, ...question }, (message) => message.id === id);
    if (!answer.died) return answer.result;
    this.#witness.start();
    return question.check ? [`the witness died (${answer.died})`] : { error: { text: 'the witness died' } };
  }

  async end() {
    await this.#host?.end();
    await this.#witness.end();
  }
}

/** Whether a fault of the schedule came to pass: a mint may end before it gets to the point. */
function isHit(schedule, trace, died) {
  if (died) return true;
  const marks = new Set(trace.map(({ mark }) => mark));
  const isReached = schedule.faults.some(({ effect, point }) => !effect && marks.has(point.mark));
  return isReached || hits(trace).some((times) => times > 0);
}
