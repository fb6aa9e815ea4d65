/**
 * The window in which the issuer asks again while the form stays, and how its answer comes home. It is sent over a
 * channel that is named after the attempt's state, since an issuer may cut the window off from who opened it.
 */

const channelOf = (state: string) => new BroadcastChannel(`cloud-cli-sign-in:${state}`);

/** Calls `onAnswer` with what the issuer sent back for `state`, until told to stop. */
export function awaitAnswer(state: string, onAnswer: (answer: URLSearchParams) => void): () => void {
  const channel = channelOf(state);
  channel.addEventListener('message', ({ data }) => {
    if (typeof data !== 'string') return;
    channel.postMessage({ taken: true });
    onAnswer(new URLSearchParams(data));
  });
  return () => channel.close();
}

/** In the window: hands the answer over; true once the page that waits for it has it. */
export function handOver(answer: URLSearchParams): Promise<boolean> {
  const channel = channelOf(answer.get('state') ?? '');
  return new Promise<boolean>((resolve) => {
    channel.addEventListener('message', () => resolve(true));
    channel.postMessage(answer.toString());
    setTimeout(() => resolve(false), 3000);
  }).finally(() => channel.close());
}

/** undefined when the browser blocks it. */
export function openWindow(url: string): Window | undefined {
  return window.open(url, 'cloud-cli-sign-in', 'popup,width=520,height=680') ?? undefined;
}
