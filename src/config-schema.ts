/** Writes the JSON Schema of the configuration file to the path it is given: a step of the build. */
import { writeFileSync } from 'node:fs';
import * as z from 'zod';
import { configSchema } from './config.js';

const [path] = process.argv.slice(2);
if (path === undefined) throw new Error('usage: node config-schema.js FILE');
writeFileSync(path, `${JSON.stringify(z.toJSONSchema(configSchema(), { io: 'input' }), null, 2)}\n`);
