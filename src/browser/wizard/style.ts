/** The wizard's style, as a sheet that a strict Content Security Policy lets pass. */

let sheet: CSSStyleSheet | undefined;

/** One sheet, shared by all wizards of a page. */
export function style(): CSSStyleSheet {
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
  }
  return sheet;
}

const css = `
:host {
  --text: #1f2328;
  --muted: #59636e;
  --surface: #ffffff;
  --sunken: #f6f8fa;
  --line: #d1d9e0;
  --edge: #818b98;
  --accent: #0969da;
  --accent-soft: #ddf4ff;
  --primary: #1a7f37;
  --primary-hover: #146c2e;
  --good: #1a7f37;
  --bad: #b3202d;
  --bad-soft: #fff0ee;
  --bad-line: #f0b6b3;
  --warn: #7d4e00;
  --warn-soft: #fff8e5;
  --warn-line: #e0c07a;
  color-scheme: light;
  display: block;
  color: var(--text);
  font: 400 0.875rem/1.5 system-ui, -apple-system, "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif;
}
@media (prefers-color-scheme: dark) {
  :host {
    --text: #f0f6fc;
    --muted: #9198a1;
    --surface: #0d1117;
    --sunken: #151b23;
    --line: #3d444d;
    --edge: #7d8590;
    --accent: #58a6ff;
    --accent-soft: #121d2f;
    --primary: #238636;
    --primary-hover: #1f7a31;
    --good: #3fb950;
    --bad: #ff8079;
    --bad-soft: #25171c;
    --bad-line: #6e3038;
    --warn: #e3b341;
    --warn-soft: #221d11;
    --warn-line: #5e4a1a;
    color-scheme: dark;
  }
}
:host([hidden]) { display: none; }
*, *::before, *::after { box-sizing: border-box; }
[hidden] { display: none !important; }
h2 { margin: 0 0 0.25rem; font-size: 1.25rem; font-weight: 600; line-height: 1.3; }
h2:focus { outline: none; }
p { margin: 0 0 0.75rem; }
ul { margin: 0; padding-inline-start: 1.25rem; }
code, pre { font-family: ui-monospace, SFMono-Regular, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: 0.8125rem; overflow-wrap: anywhere; }
.small { font-size: 0.75rem; }
.muted { color: var(--muted); font-weight: 400; }
.visually-hidden { position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 3px; }

.panel { padding: 1.5rem; border: 1px solid var(--line); border-radius: 0.5rem; background: var(--surface); }
form > h2, .panel > div > h2 { margin-bottom: 0.75rem; }
fieldset { margin: 0; padding: 0; border: 0; min-width: 0; }

.progress { display: flex; gap: 0.5rem 1.25rem; flex-wrap: wrap; margin: 0 0 1rem; padding: 0; list-style: none; color: var(--muted); font-size: 0.8125rem; }
.progress li { display: flex; align-items: center; gap: 0.5rem; }
.progress .number { display: inline-grid; place-items: center; width: 1.375rem; height: 1.375rem; border: 1px solid var(--edge); border-radius: 50%; font-size: 0.75rem; line-height: 1; }
.progress [aria-current] { color: var(--text); font-weight: 600; }
.progress [aria-current] .number { border-color: var(--accent); background: var(--accent); color: var(--surface); }
.progress .done .number { border-color: var(--good); color: var(--good); }

.card { display: flex; gap: 0.75rem; align-items: flex-start; margin-bottom: 0.5rem; padding: 0.75rem 1rem; border: 1px solid var(--line); border-radius: 0.375rem; cursor: pointer; }
.card:hover { background: var(--sunken); }
.card:has(:checked) { border-color: var(--accent); background: var(--accent-soft); }
.card:has(:focus-visible) { outline: 2px solid var(--accent); outline-offset: 1px; }
.card input { margin: 0.2rem 0 0; accent-color: var(--accent); }
.card input:focus-visible { outline: none; }
.card-text { display: grid; gap: 0.125rem; min-width: 0; }
.card-title { font-weight: 600; }
.card .mark { color: var(--muted); }

.field { max-width: 40rem; margin-bottom: 1.125rem; }
.field label { display: block; margin-bottom: 0.3125rem; font-weight: 600; }
.field .help { margin: 0.25rem 0 0; color: var(--muted); font-size: 0.75rem; overflow-wrap: anywhere; }
.problem { margin: 0.25rem 0 0; color: var(--bad); font-size: 0.8125rem; font-weight: 500; }
.problem:empty { display: none; }
input:not([type='radio']), textarea { width: 100%; padding: 0.375rem 0.75rem; border: 1px solid var(--edge); border-radius: 0.375rem; background: var(--surface); color: var(--text); font: inherit; line-height: 1.43; }
textarea { resize: vertical; font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: 0.8125rem; }
input:not([type='radio']):focus-visible, textarea:focus-visible { outline: 2px solid var(--accent); outline-offset: -1px; border-radius: 0.375rem; }
[aria-invalid='true']:not(:focus-visible) { border-color: var(--bad); box-shadow: inset 0 0 0 1px var(--bad); }

summary { width: fit-content; cursor: pointer; font-weight: 600; }
.more { margin-top: 0.25rem; padding-top: 1rem; border-top: 1px solid var(--line); }
.more[open] > summary { margin-bottom: 1rem; }

.actions { display: flex; flex-wrap: wrap; gap: 0.5rem; margin-top: 1.25rem; padding-top: 1rem; border-top: 1px solid var(--line); }
button { padding: 0.3125rem 1rem; border: 1px solid var(--edge); border-radius: 0.375rem; background: var(--sunken); color: var(--text); font: inherit; font-weight: 500; cursor: pointer; }
button:hover { border-color: var(--text); }
button:focus-visible { border-radius: 0.375rem; }
button.primary { border-color: transparent; background: var(--primary); color: #ffffff; }
button.primary:hover { background: var(--primary-hover); }
button.danger { color: var(--bad); }
button.danger:hover { border-color: var(--bad); }
button.small { padding: 0.125rem 0.625rem; font-size: 0.75rem; }
button.link { padding: 0; border: 0; background: none; color: inherit; font-weight: 600; text-decoration: underline; }
button[aria-disabled='true'], button:disabled { opacity: 0.7; cursor: progress; }

.mark { display: inline-flex; gap: 0.375rem; align-items: baseline; overflow-wrap: anywhere; }
.mark .sign { flex: none; font-weight: 700; }
.mark.good .sign { color: var(--good); }
.mark.bad .sign, .mark.bad { color: var(--bad); }
.mark.warn .sign, .mark.warn { color: var(--warn); }

.facts { margin: 0 0 1rem; }
.facts > div { display: grid; grid-template-columns: 10rem minmax(0, 1fr); gap: 0.125rem 1rem; padding: 0.5rem 0; border-bottom: 1px solid var(--line); }
.facts > div:last-child { border-bottom: 0; }
.facts dt { color: var(--muted); }
.facts dd { margin: 0; overflow-wrap: anywhere; }

.command { margin: 0 0 1rem; border: 1px solid var(--line); border-radius: 0.375rem; overflow: clip; }
.command figcaption { display: flex; flex-wrap: wrap; gap: 0.5rem; align-items: center; justify-content: space-between; padding: 0.375rem 0.5rem 0.375rem 0.75rem; border-bottom: 1px solid var(--line); background: var(--sunken); color: var(--muted); font-size: 0.75rem; }
.command pre { margin: 0; padding: 0.75rem; white-space: pre-wrap; }
.command pre:focus-visible { outline-offset: -2px; }

.box { margin: 0 0 1rem; padding: 0.75rem 1rem; border: 1px solid var(--line); border-radius: 0.375rem; overflow-wrap: anywhere; }
.box > :last-child { margin-bottom: 0; }
.box p { margin-bottom: 0.25rem; }
.box.bad { border-color: var(--bad-line); background: var(--bad-soft); }
.box.bad h2 { color: var(--bad); font-size: 1rem; }
.box.warn { border-color: var(--warn-line); background: var(--warn-soft); }
.box:focus { outline: none; }

.waiting { display: flex; gap: 0.75rem; align-items: center; margin-bottom: 1rem; }
.waiting p { margin: 0; }
.elapsed { color: var(--muted); font-variant-numeric: tabular-nums; }
.spinner { flex: none; width: 1.25rem; height: 1.25rem; border: 2px solid var(--line); border-top-color: var(--accent); border-radius: 50%; animation: turn 0.9s linear infinite; }
@keyframes turn { to { transform: rotate(1turn); } }
[role='timer'] { font-variant-numeric: tabular-nums; }

.ledger { margin-top: 0.75rem; }
.ledger:empty { margin: 0; }
.scroll:focus { outline: none; }
table { width: 100%; border: 1px solid var(--line); border-spacing: 0; border-radius: 0.375rem; font-size: 0.8125rem; }
caption { padding-bottom: 0.375rem; font-weight: 600; text-align: start; }
th, td { padding: 0.375rem 0.75rem; text-align: start; vertical-align: top; overflow-wrap: anywhere; }
td ul { padding: 0; list-style: none; }
tr + tr > * { border-top: 1px solid var(--line); }
th { width: 10rem; background: var(--sunken); color: var(--muted); font-weight: 400; }

.troubleshooting { margin-top: 1.5rem; }
.codes > div { padding: 0.625rem 0; border-bottom: 1px solid var(--line); }
.codes > div:last-child { border-bottom: 0; }
.codes dt { font-weight: 600; overflow-wrap: anywhere; }
.codes dt code { margin-inline-end: 0.375rem; padding: 0.125rem 0.375rem; border-radius: 0.25rem; background: var(--sunken); font-weight: 400; }
.codes dd { margin: 0.125rem 0 0; color: var(--muted); overflow-wrap: anywhere; }
.codes strong { color: var(--text); }

@media (max-width: 34rem) {
  .panel { padding: 1rem; }
  .facts > div { grid-template-columns: minmax(0, 1fr); }
  .progress li:not([aria-current]) span:last-child { position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden; clip-path: inset(50%); }
  .progress { gap: 0.5rem; }
  th, td { display: block; width: auto; }
  tr + tr > td { border-top: 0; }
}
@media (prefers-reduced-motion: reduce) {
  .spinner { animation: none; border-style: dotted; border-color: var(--accent); }
}
@media (forced-colors: active) {
  .card:has(:checked) { outline: 2px solid Highlight; }
}
`;
