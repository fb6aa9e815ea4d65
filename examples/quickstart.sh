#!/bin/sh
# Mints one credential per provider through the simulated vendor CLIs of fixtures/, in a temporary home.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
export CLOUD_CLI_HOME="$home/cloud-cli" PATH="$root/fixtures/bin:$PATH"

# Shows a command as one would type it, then runs it.
try() {
  printf '\n$ cloud-cli %s\n' "$*"
  node "$root/bin/cloud-cli.js" "$@"
}

newest_run() {
  node "$root/bin/cloud-cli.js" audit list --limit 1 --json | node -pe 'JSON.parse(fs.readFileSync(0))[0].run_id'
}

demonstrate() {
  printf '\n== %s: preview (nothing runs), mint, ledger row ==\n' "$2"
  try preview "$@"
  try mint "$@"
  try audit show "$(newest_run)"
}

demonstrate --provider aws --target-credential-key idp:aws:demo --role-arn arn:aws:iam::123456789012:role/deploy
demonstrate --provider gcp --target-credential-key idp:gcp:demo --service-account-email minter@my-project.iam.gserviceaccount.com
demonstrate --provider azure --target-credential-key idp:azure:demo --resource https://vault.azure.net

printf '\n== exec: a command with all three in its environment ==\n'
# shellcheck disable=SC2016 # the command expands them, not this script
try exec idp:aws:demo idp:gcp:demo idp:azure:demo -- sh -c '
  echo "AWS key $AWS_ACCESS_KEY_ID until $AWS_CREDENTIAL_EXPIRATION"
  echo "GCP token of ${#CLOUDSDK_AUTH_ACCESS_TOKEN} characters"
  echo "Azure token of ${#AZURE_ACCESS_TOKEN} characters"'

printf '\n== the ledger ==\n'
try audit list
try audit verify

printf '\nNext: put fixtures/bin first on PATH and try the commands of the README, or take away the simulated CLIs and mint for real.\n'
