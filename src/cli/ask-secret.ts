/** Asks for a secret on a terminal, showing nothing of what is typed. */
import { password } from '@inquirer/prompts';
import type { Io } from './io.js';

export function askSecret(message: string, io: Io): Promise<string> {
  // Without toggleMask, a key would show what is typed.
  return password({ message, toggleMask: false }, { input: io.stdin, output: io.stderr });
}
