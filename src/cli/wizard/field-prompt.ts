/** The prompt of one field: it says what is wrong while one types, and shows nothing of what is secret. */
import {
  createPrompt,
  isBackspaceKey,
  isEnterKey,
  isTabKey,
  makeTheme,
  useKeypress,
  usePrefix,
  useState,
} from '@inquirer/core';
import { type Look, wrap } from '../look.js';

export interface FieldQuestion {
  label: string;
  help: string;
  secret: boolean;
  /** What Enter alone answers. */
  offered: string;
  /** Why a text is not an answer. */
  problem: (text: string) => string | undefined;
}

const cursorHide = '\u001b[?25l';

export const fieldPrompt = createPrompt<string, FieldQuestion & { look: Look }>((question, done) => {
  const { look, secret, problem } = question;
  const [status, setStatus] = useState<'idle' | 'done'>('idle');
  const [typed, setTyped] = useState('');
  const [offered, setOffered] = useState(question.offered);
  const [refused, setRefused] = useState(false);
  const prefix = usePrefix({ status, theme: makeTheme(look.theme) });

  useKeypress((key, rl) => {
    if (status !== 'idle') return;
    if (isEnterKey(key)) {
      const answer = typed || offered;
      if (problem(answer) === undefined) {
        setTyped(answer);
        setStatus('done');
        done(answer);
      } else {
        // readline has cleared its line; what was typed is there to be mended.
        rl.write(typed);
        setRefused(true);
      }
    } else if (isTabKey(key) && typed === '' && offered !== '' && !secret) {
      const line = withoutControls(offered);
      setLine(rl, line);
      setTyped(line);
    } else {
      if (isBackspaceKey(key) && typed === '') setOffered('');
      const line = withoutControls(rl.line);
      if (line !== rl.line) setLine(rl, line);
      setTyped(line);
      setRefused(false);
    }
  });

  const message = `${prefix} ${look.bold(look.text(question.label))}`;
  const shown = secret && typed !== '' ? '[hidden]' : look.text(typed);
  if (status === 'done') return `${message} ${look.accent(shown)}`;
  const kept = offered !== '' && typed === '';
  const offer = kept ? ` ${look.dim(`(${secret ? 'as before' : look.text(offered)})`)}` : '';
  const content = `${message}${offer} ${shown}${secret ? cursorHide : ''}`;

  const wrong = typed === '' && !refused ? undefined : problem(typed);
  const lines = (text: string, paint: (line: string) => string) =>
    wrap(look.text(text), look.columns() - 3).map((line) => paint(`  ${line}`));
  const below =
    wrong === undefined
      ? lines(`${question.help}${kept ? ` Enter keeps it${secret ? '' : ', Tab edits it'}.` : ''}`, look.dim)
      : lines(`! ${wrong}`, refused ? look.bad : look.warn);
  return [content, below.join('\n')];
});

function setLine(rl: { clearLine(direction: 0): void; write(text: string): void }, text: string): void {
  rl.clearLine(0);
  rl.write(text);
}

/** On TERM=dumb Node's readline takes even Backspace and the arrow keys for characters. */
function withoutControls(line: string): string {
  let clean = '';
  for (const [part] of line.matchAll(/\u001b\[[0-9;]*[A-Za-z~]|./gsu)) {
    if (part === '\u007f' || part === '\b') clean = [...clean].slice(0, -1).join('');
    else if (!/[\u0000-\u001f\u0080-\u009f]/.test(part)) clean += part;
  }
  return clean;
}
