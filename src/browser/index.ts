/** The browser's door, `@alphaswarm/cloud-cli/browser`: importing it defines the element where there are elements. */
import { CredentialWizard, wizardName } from './wizard.js';

export { type Challenge, parseChallenges, type StepUp, stepUpOf } from '../challenge.js';
export type { EnvelopeAnswer } from './answers.js';
export { type ApiFetchOptions, createApiFetch, StepUpRefusedError } from './api-fetch.js';
export { CredentialWizard };

if (globalThis.customElements && !customElements.get(wizardName))
  customElements.define(wizardName, CredentialWizard);
