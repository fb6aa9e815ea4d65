/** Milliseconds by a clock that nobody sets: for what is measured and waited for, never for what is recorded. */
export function monotonicMs(): number {
  // The global `performance` is another module of Node's to load, a part of a short command's time.
  return process.uptime() * 1000;
}
