/** Quotes for a POSIX shell (POSIX.1-2017, Shell Command Language 2.2.2). */

/** `item` as one word. */
export function shellWord(item: string): string {
  return /^[\w@%+=:,./-]+$/.test(item) ? item : `'${item.replaceAll("'", "'\\''")}'`;
}

/** `argv` as one line that a shell reads back as the same items. */
export function shellLine(argv: readonly string[]): string {
  return argv.map(shellWord).join(' ');
}
