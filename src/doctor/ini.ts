/** Reads INI files as the Python CLIs do (configparser): as far as their own settings go. */

export interface Entry {
  section: string;
  /** In lower case. */
  name: string;
  value: string;
}

export function entriesOf(text: string): Entry[] {
  const entries: Entry[] = [];
  let section = '';
  let indent: number | undefined;
  for (const line of text.replace(/^\ufeff/, '').split(/\r?\n/)) {
    if (/^\s*(?:[#;]|$)/.test(line)) continue;
    const depth = line.search(/\S/);
    // Deeper than its option, a line goes on with that option's value.
    if (indent !== undefined && depth > indent) continue;
    const heading = /^\s*\[([^\]]+)\]/.exec(line)?.[1];
    const [, name, value] = /^\s*([^=:]+?)\s*[=:]\s*(.*?)\s*$/.exec(line) ?? [];
    if (heading !== undefined) {
      section = heading;
      indent = undefined;
    } else if (name !== undefined && value !== undefined) {
      entries.push({ section, name: name.toLowerCase(), value });
      indent = depth;
    }
  }
  return entries;
}
