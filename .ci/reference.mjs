/** The API reference, made of API Extractor's model of each entry point: what the docstrings say, with the types. */

const name = '@alphaswarm/cloud-cli';
/** A type of more characters is data that a reader finds better by running it. */
const longest = 900;
const values = ['Function', 'Class', 'Variable'];

export function reference(models) {
  const shown = new Map();
  const parts = models.map(({ path, members }) => {
    const own = members.filter((member) => !shown.has(textOf(member)));
    const again = members.filter((member) => shown.has(textOf(member)));
    for (const member of own) shown.set(textOf(member), path);
    const isValue = ({ kind }) => values.includes(kind);
    const sections = [...own.filter(isValue), ...own.filter((member) => !isValue(member))].map(section);
    const elsewhere = again.map((member) => `\`${member.name}\``).join(', ');
    const places = [...new Set(again.map((member) => entry(shown.get(textOf(member)))))].join(' and ');
    return [
      `## ${entry(path)}`,
      ...sections,
      ...(again.length > 0 ? [`Also exports ${elsewhere}, as ${places} does.`] : []),
    ].join('\n\n');
  });
  return `${opening}\n\n${parts.join('\n\n')}\n`;
}

const opening = `# API reference

Made by \`npm run api\` of the docstrings: do not edit it. Times are RFC 3339 UTC, and seconds are meant where a name ends in
\`_seconds\`. Errors are \`CloudCliError\`s, named here by their \`code\`. What an entry point uses and does not export,
\`${name}\` exports.`;

const entry = (path) => `\`${name}${path.slice(1)}\``;

function section(member) {
  const lines = [`### ${member.name}`, ...prose(member.docComment)];
  const members = (member.members ?? []).filter(({ kind }) => kind !== 'CallSignature');
  const calls = (member.members ?? []).filter(({ kind }) => kind === 'CallSignature');
  lines.push(
    shownAs(declaration(member)),
    ...calls.map((call) => `Called as \`${code(call)}\`: ${prose(call.docComment).join(' ')}`),
  );
  if (members.length > 0) lines.push(members.map(item).join('\n'));
  return lines.join('\n\n');
}

function item(member) {
  return `- \`${code(member).replace(/;$/, '').replace(/\s+/g, ' ')}\`: ${prose(member.docComment).join(' ')}`;
}

function declaration(member) {
  const text = `${member.kind === 'Variable' ? 'const ' : ''}${code(member)}`;
  if (text.length <= longest) return text;
  return `${text.slice(0, text.indexOf('{'))}{ ... }`;
}

function code(member) {
  return textOf(member)
    .replace(/^export (declare )?/, '')
    .replace(/import\("[^"]+"\)\./g, '')
    .trim();
}

function textOf({ excerptTokens }) {
  return excerptTokens.map(({ text }) => text).join('');
}

/** A docstring as paragraphs of Markdown: what is thrown last. */
function prose(comment) {
  const text = comment
    .replace(/^\/\*\*|\*\/\s*$/g, '')
    .replace(/^ ?\* ?/gm, '')
    .replace(/\{@link ([^}]+)\}/g, '`$1`')
    .trim();
  const [says, ...thrown] = text.split(/\s*@throws\s+/);
  const paragraphs = [says, ...thrown.map((what) => `Throws ${what.replace(/^CloudCliError,? ?/, '')}`)];
  return paragraphs
    .flatMap((paragraph) => paragraph.split(/\n\s*\n/))
    .map((paragraph) => paragraph.replace(/\s+/g, ' ').trim())
    .filter((paragraph) => paragraph !== '')
    .map((paragraph) => (/[.:!?)]$/.test(paragraph) ? paragraph : `${paragraph}.`));
}

function shownAs(text) {
  return text.length <= 110 && !text.includes('\n')
    ? `\`${text.replace(/;$/, '')}\``
    : `\`\`\`typescript\n${text}\n\`\`\``;
}
