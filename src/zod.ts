/**
 * The part of zod that checks requests and the configuration. The build puts it into one file: Node takes longer to
 * open zod's hundred files than a short command takes for all the rest.
 */
import en from 'zod/v4/locales/en.js';
import { config } from 'zod/v4/mini';

// Zod's smaller half has no words of its own.
config(en());

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
