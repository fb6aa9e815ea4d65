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

/** @param env the environment whose PATH is searched */
export function describeHandlers(env: NodeJS.ProcessEnv, more?: MoreHandlers): HandlerInfo[] {
  return listHandlers(more).map((handler) => ({
    provider: handler.name,
    title: handler.title,
    binary: handler.binary,
    binary_present: locate(handler.binary, env.PATH) !== undefined,
    fields: fieldsOf(handler),
  }));
}
