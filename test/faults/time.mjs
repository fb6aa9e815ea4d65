/** Makes this process's seconds short, so that clocks of a minute can be waited for, and its clocks movable. */
import { syncBuiltinESMExports } from 'node:module';
import promises from 'node:timers/promises';

/** Only what stands behind the shim lives so fast. */
const scale = Number(process.env.FAULTS_TIME_SCALE ?? 1);
let timeScale = scale;
/** Below it a wait is not a clock over something, but a grace that the machine needs. */
const leastMs = 500;
const scaled = (ms) => (ms >= leastMs ? ms / timeScale : ms);

const { setTimeout } = globalThis;
globalThis.setTimeout = Object.assign(
  (work, ms = 0, ...more) => setTimeout(work, scaled(ms), ...more),
  setTimeout,
);
const { setTimeout: sleep } = promises;
promises.setTimeout = (ms = 0, ...more) => sleep(scaled(ms), ...more);
syncBuiltinESMExports();

const RealDate = Date;
const realNow = performance.now.bind(performance);
const realUptime = process.uptime.bind(process);
const ahead = { Date: 0, uptime: 0 };

globalThis.Date = class SteppedDate extends RealDate {
  constructor(...parts) {
    if (parts.length === 0) super(RealDate.now() + ahead.Date);
    else super(...parts);
  }

  static now() {
    return RealDate.now() + ahead.Date;
  }
};
process.uptime = () => realUptime() + ahead.uptime / 1000;

/** Milliseconds of a clock that nobody steps. */
export const steadyNow = realNow;

/** Steps one of the clocks by `ms`. */
export function stepClock(clock, ms) {
  ahead[clock] += ms;
}

/** Sets the clocks right, and lets seconds be short, or as they are. */
export function resetClocks({ fast }) {
  ahead.Date = 0;
  ahead.uptime = 0;
  timeScale = fast ? scale : 1;
}
