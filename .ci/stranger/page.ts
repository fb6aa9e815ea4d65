/** A stranger's page: the browser's entry point, by its types. */
import { createApiFetch, type EnvelopeAnswer } from '@alphaswarm/cloud-cli/browser';

const wizard = document.createElement('cloud-cli-credential-wizard');
wizard.fetch = createApiFetch({
  getAccessToken: () => 'token',
  stepUp: async ({ max_age }) => console.log(max_age),
});
wizard.addEventListener('cloud-cli-minted', (event) =>
  console.log((event as CustomEvent<EnvelopeAnswer>).detail.audit_run_id),
);
