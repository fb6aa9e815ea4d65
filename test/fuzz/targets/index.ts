/** Everything that reads input from outside. */
import type { Target } from '../target.js';
import { ageHeader } from './age-header.js';
import { body } from './body.js';
import { chain } from './chain.js';
import { challenge } from './challenge.js';
import { config } from './config.js';
import { json } from './json.js';
import { key } from './key.js';
import { ledger } from './ledger.js';
import { parse } from './parse.js';
import { redaction } from './redaction.js';
import { redactionTime } from './redaction-time.js';
import { request } from './request.js';

export const targets: readonly Target[] = [
  request,
  json,
  redaction,
  redactionTime,
  parse,
  challenge,
  body,
  config,
  key,
  ageHeader,
  chain,
  ledger,
];
