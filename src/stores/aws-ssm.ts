/**
 * AWS Systems Manager Parameter Store: one SecureString per key. The metadata stands in its description, which
 * PutParameter replaces together with the value; tags it cannot set while it overwrites.
 */
import type { SSMClient } from '@aws-sdk/client-ssm';
import type { CredentialMetadata, CredentialStore } from '../credential.js';
import { type CredentialKey, isCredentialKey } from '../key.js';
import { type AwsPlace, absent, awsPlaceIn, awsSettings, awsTrouble, requireRegion } from './aws-service.js';
import { described, describing } from './description.js';
import { loadPeer } from './peer.js';
import { type Call, type EndpointOptions, remoteStore, type Service } from './remote.js';

type Sdk = typeof import('@aws-sdk/client-ssm');

/** Seven levels at most, since a key has eight and a parameter fifteen; `aws` and `ssm` are AWS's own. */
const prefixPattern = /^(?!\/(?:aws|ssm))(?:\/[A-Za-z0-9_.-]+){1,7}$/i;
const urlHint = 'Name the store as aws-ssm:/PREFIX, such as aws-ssm:/cloud-cli?region=eu-central-1.';
const descriptionLength = 1024;

/**
 * Opens the store `aws-ssm:/PREFIX[?region=R&kms_key_id=K]`.
 * @throws CloudCliError `invalid_request` for a URL that names no such place, and where the SDK or a region is missing
 */
export async function openAwsSsmStore(
  url: string,
  options: EndpointOptions = {},
): Promise<Required<CredentialStore>> {
  const place = awsPlaceIn(url, prefixPattern, urlHint);
  const sdk = await loadPeer('@aws-sdk/client-ssm', () => import('@aws-sdk/client-ssm'));
  const client = new sdk.SSMClient(awsSettings(place, options));
  const region = await requireRegion(client.config.region);
  return remoteStore(new ParameterStore(sdk, client, place, region), options);
}

class ParameterStore implements Service {
  readonly title: string;
  /** Of an advanced parameter: https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html */
  readonly most_bytes = 8192;
  readonly explain = awsTrouble;
  readonly #sdk: Sdk;
  readonly #client: SSMClient;
  readonly #place: AwsPlace;
  readonly #below: Filter;

  constructor(sdk: Sdk, client: SSMClient, place: AwsPlace, region: string) {
    this.#sdk = sdk;
    this.#client = client;
    this.#place = place;
    this.#below = { Key: 'Path', Option: 'Recursive', Values: [place.prefix.slice(0, -1)] };
    this.title = `Parameter Store in ${region}`;
  }

  readonly probe: Service['probe'] = async (call) => {
    await this.#describe(
      call,
      { Key: 'Name', Option: 'BeginsWith', Values: [this.#place.prefix] },
      undefined,
      1,
    );
  };

  readonly write: Service['write'] = async (key, text, metadata, call) => {
    const command = new this.#sdk.PutParameterCommand({
      Name: this.#name(key),
      Value: text,
      Description: describing(metadata, descriptionLength),
      Type: 'SecureString',
      // Advanced, which costs, above 4 KiB only; and unlike Standard it may overwrite one that was advanced already.
      Tier: 'Intelligent-Tiering',
      Overwrite: true,
      ...(this.#place.kms_key_id === undefined ? {} : { KeyId: this.#place.kms_key_id }),
    });
    const needs =
      this.#place.kms_key_id === undefined ? '' : ', and kms:Encrypt and kms:GenerateDataKey on the key';
    await call(`ssm:PutParameter${needs}`, (abortSignal) => this.#client.send(command, { abortSignal }));
  };

  readonly read: Service['read'] = async (key, call) => {
    const command = new this.#sdk.GetParameterCommand({ Name: this.#name(key), WithDecryption: true });
    const answer = await call('ssm:GetParameter and kms:Decrypt', (abortSignal) =>
      this.#client.send(command, { abortSignal }).catch(absent('ParameterNotFound')),
    );
    return answer?.Parameter?.Value;
  };

  readonly describe: Service['describe'] = async (key, call) => {
    const Name = this.#name(key);
    const filter = { Key: 'Name', Option: 'Equals', Values: [Name] };
    return (await this.#all(call, filter)).find(({ credential_key }) => credential_key === `${key}`);
  };

  readonly list: Service['list'] = (call) => this.#all(call, this.#below);

  readonly remove: Service['remove'] = async (key, call) => {
    const command = new this.#sdk.DeleteParameterCommand({ Name: this.#name(key) });
    let tries = 0;
    const removed = await call('ssm:DeleteParameter', (abortSignal) => {
      tries += 1;
      return this.#client.send(command, { abortSignal }).catch(absent('ParameterNotFound'));
    });
    // Gone at a second try: the first one was done without its answer having come through.
    return removed !== undefined || tries > 1;
  };

  readonly close = async (): Promise<void> => this.#client.destroy();

  async #all(call: Call, filter: Filter): Promise<CredentialMetadata[]> {
    const found: CredentialMetadata[] = [];
    let next: string | undefined;
    do {
      const page = await this.#describe(call, filter, next, 50);
      for (const { Name = '', Description } of page.Parameters ?? []) {
        const key = Name.slice(this.#place.prefix.length).replaceAll('/', ':');
        if (Name !== this.#name(key) || !isCredentialKey(key)) continue;
        const metadata = described(Description, key);
        if (metadata) found.push(metadata);
      }
      next = page.NextToken;
    } while (next !== undefined);
    return found;
  }

  #describe(call: Call, filter: Filter, NextToken: string | undefined, MaxResults: number) {
    const command = new this.#sdk.DescribeParametersCommand({
      ParameterFilters: [filter],
      MaxResults,
      ...(NextToken === undefined ? {} : { NextToken }),
    });
    return call('ssm:DescribeParameters', (abortSignal) => this.#client.send(command, { abortSignal }));
  }

  #name(key: CredentialKey | string): string {
    return this.#place.prefix + `${key}`.replaceAll(':', '/');
  }
}

interface Filter {
  Key: string;
  Option: string;
  Values: string[];
}
