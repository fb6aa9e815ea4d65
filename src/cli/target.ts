/** Named targets: requests that the configuration file holds. */
import type { Settings } from '../config.js';
import { invalidRequest } from '../errors.js';

/** The request of a named target; empty when none is named. */
export function targetRequest(settings: Settings, name: string | undefined): Record<string, unknown> {
  if (name === undefined) return {};
  if (Object.hasOwn(settings.targets, name)) return settings.targets[name] as Record<string, unknown>;
  const known = Object.keys(settings.targets);
  const hint =
    known.length === 0
      ? 'The configuration has no targets: add one, or give the request by flags.'
      : `Known targets: ${known.join(', ')}.`;
  throw invalidRequest([{ field: 'target', message: 'is not a target of the configuration' }], hint);
}
