/** The providers this package knows. A fourth is one more file and one more line here. */
import { aws } from './aws.js';
import { azure } from './azure.js';
import { gcp } from './gcp.js';

/** The built-in providers by name, each a {@link Handler}. */
export const handlers = { aws, gcp, azure };
