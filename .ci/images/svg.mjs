/** A terminal's screen as an SVG whose text can be selected, in colours for light and dark. */

const size = 14;
/** The advance of monospaced fonts, such as Menlo and DejaVu Sans Mono; narrower ones leave a gap, which shows less. */
const advance = size * 0.602;
const leading = 20;
const padding = 20;

/** What an SGR code does to the classes of what follows; others, such as those of the background, are not used. */
const styles = {
  1: ['bold', 'bold'],
  2: ['bold', 'dim'],
  22: ['bold', undefined],
  31: ['colour', 'red'],
  32: ['colour', 'green'],
  33: ['colour', 'yellow'],
  36: ['colour', 'cyan'],
  39: ['colour', undefined],
};

/**
 * @param {string} screen with SGR sequences, which hold on across lines
 * @param {string} title
 */
export function renderTerminal(screen, title) {
  const lines = screen.split('\n');
  const state = {};
  let columns = 0;
  const texts = lines.map((line, index) => {
    let column = 0;
    const spans = [];
    for (const [index, part] of line.split(/\u001b\[([\d;]*)m/).entries()) {
      // What a split by a group gives: text, the codes behind it, text, ...
      if (index % 2 === 1) for (const code of part.split(';')) apply(Number(code), state);
      else if (part !== '') spans.push(span(part, column, state));
      if (index % 2 === 0) column += [...part].length;
    }
    columns = Math.max(columns, column);
    const y = padding + leading * index + size;
    return spans.length === 0 ? '' : `<text y="${y}">${spans.join('')}</text>\n`;
  });
  const width = Math.ceil(columns * advance + 2 * padding);
  const height = lines.length * leading + 2 * padding - (leading - size) + 4;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>${escaped(title)}</title>
<style>
text { font: ${size}px ui-monospace, SFMono-Regular, Menlo, "DejaVu Sans Mono", Consolas, monospace; white-space: pre; fill: #1f2328 }
rect { fill: #f6f8fa; stroke: #d1d9e0 }
.bold { font-weight: 600 } .dim { fill: #59636e } .green { fill: #1a7f37 } .cyan { fill: #0a6b7c } .red { fill: #c4232c } .yellow { fill: #7d5600 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } rect { fill: #0d1117; stroke: #3d444d }
.dim { fill: #9198a1 } .green { fill: #3fb950 } .cyan { fill: #56d4dd } .red { fill: #ff7b72 } .yellow { fill: #d29922 }
}
</style>
<rect x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8"/>
${texts.join('')}</svg>
`;
}

/** The lines of an SVG that {@link renderTerminal} made. @param {string} svg */
export function linesOf(svg) {
  return [...svg.matchAll(/<text [^>]*>(.*?)<\/text>/gs)].map(([, line = '']) =>
    line.replace(/<[^>]*>/g, '').replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code))),
  );
}

function apply(code, state) {
  if (code === 0) for (const name of Object.keys(state)) delete state[name];
  const [name, value] = styles[code] ?? [];
  if (name) state[name] = value;
}

/** Each where its column is, so that a glyph of another font moves nothing after it. */
function span(text, column, state) {
  const names = [state.bold, state.colour].filter(Boolean).join(' ');
  const x = (padding + column * advance).toFixed(1);
  return `<tspan x="${x}"${names === '' ? '' : ` class="${names}"`}>${escaped(text)}</tspan>`;
}

function escaped(text) {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
