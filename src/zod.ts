/**
 * The part of zod that checks requests and the configuration. The build puts it into one file: Node takes longer to
 * open zod's hundred files than a short command takes for all the rest.
 */
import en from 'zod/v4/locales/en.js';
import { config, int, maximum, minimum } from 'zod/v4/mini';

// Zod's smaller half has no words of its own.
config(en());

/** Whole seconds, from one number to another. */
export function seconds(least: number, most: number) {
  const words = `must be a whole number of seconds, ${least} to ${most}`;
  return int(words).check(minimum(least, words), maximum(most, words));
}

export type { core, output } from 'zod/v4/mini';
export {
  array,
  describe,
  enum,
  int,
  json,
  maximum,
  maxLength,
  minimum,
  minLength,
  optional,
  pipe,
  record,
  refine,
  regex,
  safeParse,
  strictObject,
  string,
  transform,
} from 'zod/v4/mini';
