/** What Node.js 20.19 calls experimental, and 20.20 does not any more: a warning that no operator can act on. */

const silenced = new Set<string>();

/**
 * Keeps Node.js from printing that an algorithm of the Web Crypto API is experimental, once in a process, amid an output
 * that is promised. It looks the algorithm up while nothing else can run, with nowhere to warn; later ones see it warned.
 */
export function silenceAlgorithm(name: 'Ed25519' | 'X25519'): void {
  if (silenced.has(name) || !process.version.startsWith('v20.')) return;
  silenced.add(name);
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    crypto.subtle.importKey('raw', new Uint8Array(32), { name }, false, []).catch(() => {});
  } finally {
    process.emitWarning = emitWarning;
  }
}
