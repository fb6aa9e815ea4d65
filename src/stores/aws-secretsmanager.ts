/**
 * AWS Secrets Manager: one secret per key. The metadata stands in its description, which UpdateSecret replaces
 * together with the value.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { CredentialMetadata, CredentialStore } from '../credential.js';
import { type CredentialKey, isCredentialKey } from '../key.js';
import {
  type AwsPlace,
  absent,
  awsPlaceIn,
  awsSettings,
  awsTrouble,
  isNamed,
  requireRegion,
} from './aws-service.js';
import { described, describing } from './description.js';
import { loadPeer } from './peer.js';
import { type Call, type EndpointOptions, remoteStore, type Service } from './remote.js';

type Sdk = typeof import('@aws-sdk/client-secrets-manager');

const prefixPattern = /^[A-Za-z0-9_+=.@-]+(?:\/[A-Za-z0-9_+=.@-]+)*$/;
const urlHint =
  'Name the store as aws-secretsmanager:PREFIX, such as aws-secretsmanager:cloud-cli?region=eu-central-1.';
const descriptionLength = 2048;

/**
 * Opens the store `aws-secretsmanager:PREFIX[?region=R&kms_key_id=K]`.
 * @throws CloudCliError `invalid_request` for a URL that names no such place, and where the SDK or a region is missing
 */
export async function openAwsSecretsManagerStore(
  url: string,
  options: EndpointOptions = {},
): Promise<Required<CredentialStore>> {
  const place = awsPlaceIn(url, prefixPattern, urlHint);
  const load = () => import('@aws-sdk/client-secrets-manager');
  const sdk = await loadPeer('@aws-sdk/client-secrets-manager', load);
  const client = new sdk.SecretsManagerClient(awsSettings(place, options));
  const region = await requireRegion(client.config.region);
  return remoteStore(new SecretsManager(sdk, client, place, region), options);
}

class SecretsManager implements Service {
  readonly title: string;
  readonly most_bytes = 65536;
  readonly explain = awsTrouble;
  readonly #sdk: Sdk;
  readonly #client: SecretsManagerClient;
  readonly #place: AwsPlace;

  constructor(sdk: Sdk, client: SecretsManagerClient, place: AwsPlace, region: string) {
    this.#sdk = sdk;
    this.#client = client;
    this.#place = place;
    this.title = `Secrets Manager in ${region}`;
  }

  readonly probe: Service['probe'] = async (call) => {
    await this.#page(call, undefined, 1);
  };

  readonly write: Service['write'] = async (key, text, metadata, call) => {
    const [SecretId, Description] = [this.#name(key), describing(metadata, descriptionLength)];
    const KmsKeyId = this.#place.kms_key_id;
    const shared = {
      Description,
      SecretString: text,
      // The same in each try: one that was done already is not done again.
      ClientRequestToken: randomUUID(),
      ...(KmsKeyId === undefined ? {} : { KmsKeyId }),
    };
    const update = new this.#sdk.UpdateSecretCommand({ SecretId, ...shared });
    const create = new this.#sdk.CreateSecretCommand({ Name: SecretId, ...shared });
    // A secret may be made, be scheduled for deletion or be on its way out between any two calls.
    for (let round = 1; ; round += 1) {
      // What is refused again and again is not about a deletion.
      const passing = round < 4 ? [marked] : [];
      const updated = await call('secretsmanager:UpdateSecret', (abortSignal) =>
        this.#client.send(update, { abortSignal }).catch(absent('ResourceNotFoundException', ...passing)),
      );
      if (updated) return;
      const state = await call('secretsmanager:DescribeSecret', (signal) => this.#state(SecretId, signal));
      if (state && !state.live) await this.#restore(SecretId, call);
      const created =
        !state &&
        (await call('secretsmanager:CreateSecret', (abortSignal) =>
          this.#client.send(create, { abortSignal }).catch(absent('ResourceExistsException', marked)),
        ));
      if (created) return;
      // A forced deletion takes a while after it was answered.
      if (round > 1) await sleep(200 + Math.random() * 300);
    }
  };

  readonly read: Service['read'] = async (key, call) => {
    const SecretId = this.#name(key);
    const command = new this.#sdk.GetSecretValueCommand({ SecretId });
    const answer = await call('secretsmanager:GetSecretValue', async (abortSignal) => {
      try {
        return await this.#client.send(command, { abortSignal });
      } catch (error) {
        if (isNamed(error, 'ResourceNotFoundException')) return undefined;
        if (isNamed(error, marked) && !(await this.#state(SecretId, abortSignal))?.live) return undefined;
        throw error;
      }
    });
    return answer?.SecretString;
  };

  readonly describe: Service['describe'] = async (key, call) => {
    const state = await call('secretsmanager:DescribeSecret', (signal) =>
      this.#state(this.#name(key), signal),
    );
    return state?.live ? described(state.description, key) : undefined;
  };

  readonly list: Service['list'] = async (call) => {
    const found: CredentialMetadata[] = [];
    let next: string | undefined;
    do {
      const page = await this.#page(call, next, 100);
      for (const { Name = '', Description, DeletedDate } of page.SecretList ?? []) {
        const key = Name.slice(this.#place.prefix.length).replaceAll('/', ':');
        if (Name !== this.#name(key) || !isCredentialKey(key) || DeletedDate) continue;
        const metadata = described(Description, key);
        if (metadata) found.push(metadata);
      }
      next = page.NextToken;
    } while (next !== undefined);
    return found;
  };

  readonly remove: Service['remove'] = async (key, call) => {
    const SecretId = this.#name(key);
    // A forced deletion succeeds for what is not there too.
    const state = await call('secretsmanager:DescribeSecret', (signal) => this.#state(SecretId, signal));
    if (!state?.live) return false;
    const command = new this.#sdk.DeleteSecretCommand({ SecretId, ForceDeleteWithoutRecovery: true });
    await call('secretsmanager:DeleteSecret', (abortSignal) =>
      this.#client.send(command, { abortSignal }).catch(absent('ResourceNotFoundException')),
    );
    return true;
  };

  readonly close = async (): Promise<void> => this.#client.destroy();

  /** Undefined where there is no secret; one that is scheduled for deletion is not live. */
  async #state(SecretId: string, abortSignal: AbortSignal) {
    const command = new this.#sdk.DescribeSecretCommand({ SecretId });
    const answer = await this.#client
      .send(command, { abortSignal })
      .catch(absent('ResourceNotFoundException'));
    return answer && { live: answer.DeletedDate === undefined, description: answer.Description };
  }

  async #restore(SecretId: string, call: Call): Promise<void> {
    const command = new this.#sdk.RestoreSecretCommand({ SecretId });
    await call('secretsmanager:RestoreSecret', (abortSignal) =>
      this.#client.send(command, { abortSignal }).catch(absent('ResourceNotFoundException', marked)),
    );
  }

  #page(call: Call, NextToken: string | undefined, MaxResults: number) {
    const command = new this.#sdk.ListSecretsCommand({
      Filters: [{ Key: 'name', Values: [this.#place.prefix] }],
      MaxResults,
      ...(NextToken === undefined ? {} : { NextToken }),
    });
    return call('secretsmanager:ListSecrets', (abortSignal) => this.#client.send(command, { abortSignal }));
  }

  #name(key: CredentialKey | string): string {
    return this.#place.prefix + `${key}`.replaceAll(':', '/');
  }
}

/** What Secrets Manager calls a secret that is scheduled for deletion, among other things. */
const marked = 'InvalidRequestException';
