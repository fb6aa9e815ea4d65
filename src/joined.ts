/** Joins signals, of which one may be a clock. */

const held = new WeakMap<AbortSignal, readonly AbortSignal[]>();

/**
 * Aborts when one of them does. AbortSignal.any holds them weakly on Node.js 20, so that an AbortSignal.timeout among
 * them can be collected before its time, and what waits for it waits for ever.
 */
export function joined(...signals: AbortSignal[]): AbortSignal {
  const signal = AbortSignal.any(signals);
  held.set(signal, signals);
  return signal;
}
