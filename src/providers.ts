/** The providers as a form, a flag list or a console needs them, and whether each vendor CLI is on this host. */
import { locate } from './locate.js';
import { type FieldInfo, fieldsOf, listHandlers, type MoreHandlers } from './request.js';

export interface HandlerInfo {
  provider: string;
  title: string;
  binary: string;
  binary_present: boolean;
  fields: FieldInfo[];
}

/**
 * @param env the environment whose PATH is searched
 * @param find what looks for a binary; default the file system, each time
 */
export function describeHandlers(
  env: NodeJS.ProcessEnv,
  more?: MoreHandlers,
  find: typeof locate = locate,
): HandlerInfo[] {
  return listHandlers(more).map((handler) => ({
    provider: handler.name,
    title: handler.title,
    binary: handler.binary,
    binary_present: find(handler.binary, env.PATH) !== undefined,
    fields: fieldsOf(handler),
  }));
}
