/** The dialog that has the operator authenticate again in a window of the issuer, while the form behind it stays. */
import { button, make, mark } from '../wizard/make.js';
import { awaitAnswer, openWindow } from './popup.js';
import type { Attempt, Session, SignIn } from './sign-in.js';

export interface Confirmation {
  title: string;
  why: string;
  begin: () => ReturnType<SignIn['begin']>;
  finish: (answer: URLSearchParams, attempt: Attempt) => Promise<Session>;
}

/** Resolves to the new session; rejects when the operator cancels. */
export function confirm({ title, why, begin, finish }: Confirmation): Promise<Session> {
  return new Promise((resolve, reject) => {
    let ready: { url: string; attempt: Attempt } | undefined;
    let stopWaiting = () => {};
    let watch: ReturnType<typeof setInterval> | undefined;

    const note = make('p', { role: 'status', class: 'note' });
    const say = (words: string, kind?: 'bad' | 'warn') =>
      note.replaceChildren(kind ? mark(kind, words) : words);
    const go = button('Continue to sign-in', open, 'primary');
    go.setAttribute('autofocus', '');
    const dialog = make(
      'dialog',
      { 'aria-labelledby': 'confirm-title', 'aria-describedby': 'confirm-why' },
      make('h2', { id: 'confirm-title' }, title),
      make('p', { id: 'confirm-why' }, why),
      note,
      make('div', { class: 'actions' }, go, button('Cancel', cancel)),
    );

    /** Before the click: a window that is opened later than that is blocked. */
    async function prepare() {
      stopWaiting();
      ready = undefined;
      try {
        const begun = await begin();
        if (!dialog.open) return;
        ready = begun;
        const { attempt } = begun;
        stopWaiting = awaitAnswer(attempt.state, (answer) => void take(answer, attempt));
      } catch (error) {
        say((error as Error).message, 'bad');
      }
    }
    async function take(answer: URLSearchParams, attempt: Attempt) {
      clearInterval(watch);
      say('Finishing…');
      try {
        const session = await finish(answer, attempt);
        leave();
        resolve(session);
      } catch (error) {
        say((error as Error).message, 'bad');
        go.textContent = 'Try again';
        await prepare();
      }
    }
    function open() {
      if (!ready) return void prepare().then(() => ready && say('Now continue to the sign-in.'));
      const opened = openWindow(ready.url);
      go.textContent = 'Open the window again';
      if (!opened)
        return say('The browser blocked the window: allow pop-ups for this page, then try again.', 'bad');
      say('Finish the sign-in in the window that has opened.');
      clearInterval(watch);
      watch = setInterval(() => {
        if (!opened.closed) return;
        clearInterval(watch);
        // An issuer may cut the window off, which looks the same: its answer is still waited for.
        say('The window was closed. If you have not finished, open it again.', 'warn');
      }, 500);
    }
    function cancel() {
      leave();
      reject(new Error('You cancelled the sign-in.'));
    }
    function leave() {
      clearInterval(watch);
      stopWaiting();
      dialog.close();
      dialog.remove();
    }

    dialog.addEventListener('cancel', (event) => {
      event.preventDefault();
      cancel();
    });
    document.body.append(dialog);
    dialog.showModal();
    void prepare();
  });
}
