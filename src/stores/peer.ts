/** Loads a vendor's SDK, which only those install who use its store. */
import { badUrl } from './remote.js';

/** @throws CloudCliError `invalid_request` that says what to install */
export async function loadPeer<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'ERR_MODULE_NOT_FOUND' || !message.includes(`'${name}'`)) throw error;
    throw badUrl(`needs ${name}, which is not installed`, `Run: npm install ${name}`);
  }
}
