/** `<cloud-cli-credential-wizard base="...">`: pick a provider, fill in, preview, mint. No token ever passes here. */
import type { EnvelopeAnswer, HandlerAnswer, PreviewAnswer } from './answers.js';
import { type Calls, callsOf, isUnheard, type RequestBody, type ShownFailure } from './wizard/calls.js';
import { envelopeStep } from './wizard/envelope-step.js';
import { failureStep } from './wizard/failure-step.js';
import { ledgerRow } from './wizard/ledger-row.js';
import { button, make } from './wizard/make.js';
import { mintingStep } from './wizard/minting-step.js';
import { previewStep } from './wizard/preview-step.js';
import { progress, type Stage } from './wizard/progress.js';
import { loadingStep, providerStep } from './wizard/provider-step.js';
import { type RequestForm, requestForm } from './wizard/request-form.js';
import { style } from './wizard/style.js';
import { troubleshooting } from './wizard/troubleshooting.js';

export const wizardName = 'cloud-cli-credential-wizard';

// Off a browser there is nothing to extend; importing this must not fail there.
const Base = (globalThis.HTMLElement ?? class {}) as typeof HTMLElement;

/**
 * Calls the API below its `base` attribute with its `fetch` property, such as one of `createApiFetch`; either may be
 * set later. Dispatches `cloud-cli-minted`, whose detail is the envelope.
 */
export class CredentialWizard extends Base {
  /** The attributes that the browser tells it of. */
  static readonly observedAttributes = ['base'];

  readonly #progress = progress();
  readonly #status = make('p', { role: 'status', class: 'visually-hidden' });
  readonly #panel = make('section', { class: 'panel', 'aria-label': 'Mint a credential' });
  readonly #forms = new Map<string, RequestForm>();
  #fetch: typeof fetch | undefined;
  #calls: Calls | undefined;
  #handlers: HandlerAnswer[] = [];
  #picked: string | undefined;
  /** Of the call that the step on show waits for. */
  #waiting = new AbortController();
  #tick: (() => void) | undefined;
  #clock: ReturnType<typeof setInterval> | undefined;
  #startAsked = false;

  constructor() {
    super();
    const root = this.attachShadow({ mode: 'open' });
    root.adoptedStyleSheets = [style()];
    root.append(this.#progress.element, this.#status, this.#panel, troubleshooting());
  }

  /** Where the API is, such as `/admin/settings/credentials/cloud-cli`: the attribute of that name. */
  get base(): string | null {
    return this.getAttribute('base');
  }

  set base(base: string) {
    this.setAttribute('base', base);
  }

  /** What carries the operator's token; the wizard starts once it is set. */
  get fetch(): typeof fetch | undefined {
    return this.#fetch;
  }

  set fetch(fetch: typeof globalThis.fetch | undefined) {
    this.#fetch = fetch;
    // What is typed already stays; only who is still without providers asks again.
    if (this.#handlers.length === 0) this.#startSoon();
  }

  /** Called by the browser when it comes into a page. */
  connectedCallback(): void {
    for (const name of ['fetch', 'base'] as const) this.#adopt(name);
    this.#clock = setInterval(() => this.#tick?.(), 1000);
    if (this.#handlers.length === 0) this.#startSoon();
  }

  /** Called by the browser when it leaves the page; a call in progress is cancelled. */
  disconnectedCallback(): void {
    clearInterval(this.#clock);
    // Who is only moved is connected again by then.
    queueMicrotask(() => {
      if (!this.isConnected) this.#waiting.abort();
    });
  }

  /** Called by the browser when `base` changes. */
  attributeChangedCallback(_name: string, before: string | null, after: string | null): void {
    if (before === after) return;
    this.#handlers = [];
    this.#forms.clear();
    this.#startSoon();
  }

  /** A property that was set before the element was upgraded hides the accessor. */
  #adopt(name: 'fetch' | 'base'): void {
    if (!Object.hasOwn(this, name)) return;
    const value = this[name];
    delete (this as Partial<Pick<CredentialWizard, typeof name>>)[name];
    Object.assign(this, { [name]: value });
  }

  /** Attribute and property are often set one after the other: one start is enough for both. */
  #startSoon(): void {
    if (this.#startAsked) return;
    this.#startAsked = true;
    queueMicrotask(() => {
      this.#startAsked = false;
      if (this.isConnected && this.base !== null) void this.#start(this.base);
    });
  }

  async #start(base: string): Promise<void> {
    this.#calls = callsOf(base, () => this.#fetch ?? ((input, init) => globalThis.fetch(input, init)));
    this.#show('Provider', loadingStep(), false);
    const signal = this.#expectAnswer();
    const answered = await this.#calls.handlers(signal);
    if (signal.aborted) return;
    if ('answer' in answered) {
      this.#handlers = answered.answer;
      this.#pick(false);
    } else {
      const again = button('Try again', () => void this.#start(base), 'primary');
      this.#show('Provider', failureStep(answered.failure, { minted: false, actions: [again] }), false);
      this.#say(answered.failure.message);
    }
  }

  #pick(focus = true): void {
    // Who goes back does not wait for a preview any more.
    this.#waiting.abort();
    const step = providerStep(this.#handlers, this.#picked, (handler) => {
      this.#picked = handler.provider;
      this.#fill(handler);
    });
    this.#show('Provider', step, focus);
  }

  #fill(handler: HandlerAnswer, issues: ShownFailure['issues'] = []): void {
    let form = this.#forms.get(handler.provider);
    if (!form) {
      form = requestForm(handler, {
        submit: (request, hasSecrets) => void this.#preview(handler, request, hasSecrets),
        back: () => this.#pick(),
      });
      this.#forms.set(handler.provider, form);
    }
    this.#show('Request', form.element);
    if (issues.length > 0) form.mark(issues);
  }

  async #preview(handler: HandlerAnswer, request: RequestBody, hasSecrets: boolean): Promise<void> {
    const form = this.#forms.get(handler.provider)!;
    form.busy(true);
    this.#say('Previewing.');
    const signal = this.#expectAnswer();
    const answered = await this.#calls!.preview(request, signal);
    form.busy(false);
    if (signal.aborted) return;
    if ('failure' in answered) return this.#failed(answered.failure, { handler, request, hasSecrets });
    this.#show(
      'Preview',
      previewStep(answered.answer, {
        mint: () => void this.#mint(handler, request, hasSecrets, answered.answer),
        back: () => this.#fill(handler),
        say: (words) => this.#say(words),
      }),
    );
  }

  async #mint(
    handler: HandlerAnswer,
    request: RequestBody,
    hasSecrets: boolean,
    preview: PreviewAnswer,
  ): Promise<void> {
    const signal = this.#expectAnswer();
    const step = mintingStep(preview, {
      cancel: () => this.#waiting.abort(),
      say: (words) => this.#say(words),
    });
    this.#show('Credential', step.element);
    this.#tick = step.tick;
    const answered = await this.#calls!.mint({ ...request, run_id: preview.run_id }, signal);
    this.#forms.get(handler.provider)?.forgetSecrets();
    // Another base was set meanwhile.
    if (signal !== this.#waiting.signal) return;
    if ('failure' in answered)
      this.#failed(answered.failure, { handler, preview, ...(hasSecrets ? {} : { request }) });
    else this.#minted(answered.answer);
  }

  #minted(envelope: EnvelopeAnswer): void {
    const step = envelopeStep(envelope, this.#ledger(envelope.audit_run_id), () => {
      this.#pick();
    });
    this.#show('Credential', step.element);
    this.#tick = step.tick;
    this.#say('The credential is minted.');
    this.dispatchEvent(
      new CustomEvent('cloud-cli-minted', { detail: envelope, bubbles: true, composed: true }),
    );
  }

  #failed(failure: ShownFailure, { handler, request, hasSecrets = false, preview }: Attempt): void {
    if (failure.code === 'invalid_request' && failure.issues?.length) {
      this.#fill(handler, failure.issues);
      return;
    }
    const minted = preview !== undefined;
    const again = () => {
      this.#fill(handler);
      void this.#preview(handler, request!, hasSecrets);
    };
    // A failed run is spent, so that a retry is a new preview; one that nobody heard of may be asked for again.
    const isOpen = minted && isUnheard(failure) && failure.code !== 'cancelled';
    const retry = isOpen
      ? button('Try the same run again', () => void this.#mint(handler, request!, false, preview), 'primary')
      : button('Preview again', again, 'primary');
    const edit = button('Edit the request', () => this.#fill(handler));
    const heard = failure.audit_run_id ?? (mayHaveRun(failure) ? preview?.run_id : undefined);
    const label = failure.audit_run_id === undefined ? 'Look the run up' : undefined;
    const shown = heard === undefined ? failure : { ...failure, audit_run_id: heard };
    const ledger = heard === undefined ? undefined : this.#ledger(heard, label);
    const actions = request ? [retry, edit] : [edit];
    this.#show(minted ? 'Credential' : 'Request', failureStep(shown, { minted, ledger, actions }));
  }

  #ledger(run_id: string, label?: string): HTMLElement {
    return ledgerRow(() => this.#calls!.run(run_id, new AbortController().signal), label);
  }

  #expectAnswer(): AbortSignal {
    this.#waiting.abort();
    this.#waiting = new AbortController();
    return this.#waiting.signal;
  }

  #show(stage: Stage, step: HTMLElement, focus = true): void {
    this.#tick = undefined;
    this.#say('');
    this.#progress.at(stage);
    this.#panel.replaceChildren(step);
    if (focus) step.querySelector('h2')?.focus();
  }

  #say(words: string): void {
    this.#status.textContent = words;
  }
}

/** What failed: a mint, when there is a `preview`. Without `request` it had secrets, which are gone by then. */
interface Attempt {
  handler: HandlerAnswer;
  request?: RequestBody;
  hasSecrets?: boolean;
  preview?: PreviewAnswer;
}

/** Whether something may have run although nobody named the run, so that only the ledger can tell. */
function mayHaveRun(failure: ShownFailure): boolean {
  return isUnheard(failure) || failure.outcome === 'unknown' || failure.outcome === 'issued';
}

declare global {
  interface HTMLElementTagNameMap {
    [wizardName]: CredentialWizard;
  }
  interface HTMLElementEventMap {
    'cloud-cli-minted': CustomEvent<EnvelopeAnswer>;
  }
}
