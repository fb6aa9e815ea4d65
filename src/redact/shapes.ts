/** Secrets that their own shape gives away, whatever stands before them. */
import type { Span } from './view.js';

/** Where a shape has a group named `secret`, only that is masked. What can repeat is bounded or ends the pattern. */
const shapes: readonly RegExp[] = [
  // JSON Web Tokens and their pieces: base64url of `{"`, signed, unsigned, encrypted or cut off.
  /(?:eyJ|ewog|eyAi)[\w-]{12,}(?:\.[\w-]*)*/g,
  // Google: access token, refresh token, authorization code, OAuth client secret, API key.
  /ya29\.[\w.-]{10,}/g,
  /(?<![\w/:])1\/\/[\w-]{20,}/g,
  /(?<![\w/])4\/0A[\w-]{20,}/g,
  /GOCSPX-[\w-]{8,}/g,
  /AIza[\w-]{20,}/g,
  // AWS: session token, and the secret that follows its access key id.
  /(?:FwoG|FQoG|IQoJ|AQoD)[\w+/=-]{12,}/g,
  /(?<![A-Z\d])(?:AKIA|ASIA)[A-Z\d]{12,20}["']?[\s:,;|/]{1,24}["']?(?<secret>[\w+/]{40})(?![\w+/])/dg,
  // Azure: client secret, refresh token of an organisation, refresh token or code of a personal account.
  /[\w.~-]{3,4}\dQ~[\w.~-]{20,}|[\w.~-]{3,6}Q~[\w.~-]{26,}/g,
  /(?<![\w.])[01]\.A[\w-]{8,64}\.[\w.-]{20,}|(?<![\w.])[01]\.A[\w-]{40,}/g,
  /(?<![\w.])M\.[CR]\d[\w.!*$-]{20,}/g,
  // The signature of a shared access signature or presigned address, wherever its name was lost.
  /(?<=(?:SharedKey|SharedKeyLite)\s[\w-]{1,64}:)[\w+/=]{20,}/g,
  // Source hosts and registries: GitHub, GitLab, npm, PyPI, Docker.
  /gh[oprsu]_\w{16,}|github_pat_\w{16,}/g,
  /gl(?:pat|ptt|rt|dt|soat|cbt|agent|ft|imt|oas)-[\w.-]{12,}/g,
  /npm_\w{20,}|pypi-[\w-]{20,}|dckr_(?:pat|oat)_[\w-]{16,}/g,
  // Services: Slack, OpenAI, Anthropic, Stripe, SendGrid, DigitalOcean, Hugging Face, Atlassian, Postman, Linear,
  // Databricks, HCP Terraform.
  /xox[a-z]-[\w-]{10,}|xapp-[\w-]{10,}|(?<=hooks\.slack\.com\/(?:services|workflows)\/)[\w/]{16,}|(?<=\/IncomingWebhook\/)[\w/-]{32,}/g,
  /(?<![\w-])(?:sk|rk)[-_](?=[\w-]{0,64}\d)[\w-]{16,}/g,
  /SG\.[\w-]{12,}\.[\w-]{12,}/g,
  /do[or]_v1_[\da-f]{32,}|(?<!\w)hf_[A-Za-z]{24,}|ATATT\w{16,}|PMAK-[\w-]{20,}|lin_api_\w{20,}/g,
  /(?<!\w)dapi[\da-f]{32}(?!\w)|(?<!\w)[A-Za-z\d]{14}\.atlasv1\.[\w-]{20,}/g,
  // Vault and age.
  /(?<![\w.])hv[bsr]\.[\w-]{16,}|(?<![\w.])[sbr]\.(?=[A-Za-z]{0,64}\d)[A-Za-z\d]{24,}/g,
  /AGE-SECRET-KEY-1[\dA-Z]{8,}|AGE-PLUGIN-[\dA-Z-]{16,}/g,
  // Password hashes and Kerberos tickets.
  /\$(?:2[abxy]|[156y]|argon2\w{1,2}|apr1|krb5\w{1,12})\$[^\s"'<>]{20,}/g,
  // A scheme and its credentials, of a header whose name was lost. Bearer is a word of prose too.
  /(?<![\w-])(?:[Bb]earer|BEARER)\s+["']?(?<secret>(?![A-Z]?[a-z]+(?:[^\w.~+/=-]|[.,]\s|$)|[A-Z_]+(?!\w)|\w+=["'\w])[\w.~+/=-]{6,})/dg,
  /(?<![\w-])(?:Basic|basic)\s+(?<secret>(?=[\w+/-]{0,64}(?:\d|[a-z][A-Z]))[\w+/-]{8,}={0,2})/dg,
  /(?<![\w-])(?:Negotiate|NTLM|Kerberos)\s+(?<secret>[\w+/]{16,}={0,2})/dgi,
  // The password of an address, and the token that stands for a whole login.
  /:\/\/[\w.%+~-]{0,128}:(?<secret>(?!\d{1,5}[/?#])[^\s/"'<>`]{1,512})@/dg,
  /:\/\/[\w.%+~-]{0,128}:(?<secret>(?!\d{1,5}[/?#])[^\s@"'<>`]{1,512})@/dg,
  /:\/\/(?<secret>[\w-]{20,512})@/dg,
  // Go's database addresses: no scheme.
  /(?<![\w:])[\w.-]{1,64}:(?<secret>[^\s/"'<>]{1,256})@(?:tcp|unix)\(/dg,
  // curl's user and password, and SQL's.
  /(?<=\s(?:-u|-U|--user|--proxy-user)["']?[=,\s]{1,3}["']?[^\s:"']{1,128}:)(?!\/\/|\d{1,8}(?!\S))[^\s"']+/g,
  /(?<=IDENTIFIED[ \t]{1,4}(?:WITH[ \t]{1,4}\w{1,40}[ \t]{1,4})?BY[ \t]{1,4}["'])[^\s"']+/gi,
  /(?<=jdbc:oracle:\w{1,10}:[\w.-]{1,64}\/)[^\s@"']+(?=@)/g,
  // A password glued to its option, or to its user; one for openssl; one that is piped in.
  /(?<=\b(?:mysql\w{0,10}|mariadb\w{0,10}|sshpass|mongo\w{0,10})\s[^\n]{0,200}?-p)[^\s"'-][^\s"']*|(?<=-U\s{0,2}["']?[\w\\.-]{1,64}%)[^\s"']+/g,
  /(?<=\bopenssl\s[^\n]{0,200}\s-[kK]\s)[^\s"']+/g,
  /(?<=(?:password|token|secret|login|key)[^\n]{0,80}<<<\s{0,4}["']?)[^\s"']+/gi,
  /(?<=\becho\s(?:-n\s)?["']?)[^\s"'|]+(?=["']?\s{0,4}(?:\||\n\+)[^\n|]{0,80}(?:password-stdin|with-token|login))/g,
  // A pair of user and password, and what a workflow asks to be masked.
  /(?:auth["']?\s?[:=]\s?|BasicAuth|UsernamePassword\w{0,20})\(\s{0,4}b?["'][^"'\n]{0,128}["'],\s{0,4}b?["'](?<secret>[^"'\n]{1,512})["']/dg,
  /(?<=::add-mask::)\S+/g,
  // Mail, FTP, Redis: the line that logs in; a cookie file's line.
  /(?<=(?:^|\n)[><*CS: ]{0,4}(?:\w{1,6} )?(?:PASS|AUTH(?: [A-Z\d]{4,10})?|LOGIN \S{1,64}) )(?=\S{0,99}\d)(?!\S{0,99}[/.])\S+(?=[ \t]*(?:\n|$))/g,
  /(?<=(?:^|\n)[^\t\n]{1,128}\t(?:TRUE|FALSE)\t[^\t\n]{0,256}\t(?:TRUE|FALSE)\t\d{1,16}\t[^\t\n]{1,128}\t)\S+/g,
  // openssl's `pass:` source, and what an MFA or password prompt echoes.
  /(?<=-pass(?:in|out|)["']?[=,\s]{1,4}["']?pass:)[^\s"']+/g,
  /(?:MFA|OTP|TOTP|verification|one[- ]time)[- ]{1,2}(?:pass)?(?:code|password)\b[^\n]{0,120}?[:=]\s{0,4}(?<secret>\d{6,8})(?!\d)/dgi,
  /(?:password|passphrase)[ \t]+for[ \t]+[^\n]{1,160}?:[ \t]+(?<secret>(?!\w+[ \t]+\w)\S+)(?=[ \t]*(?:\n|$))/dgi,
  // .pgpass: host, port, database, user, password.
  /(?<=(?:^|\n)[^\s:]{1,128}:(?:\d{1,5}|\*):[^\s:]{1,64}:[^\s:]{1,64}:)\S+(?=[ \t]*(?:\n|$))/g,
];

export function* shapeSpans(text: string): Generator<Span> {
  for (const shape of shapes) {
    for (const match of text.matchAll(shape)) {
      const [start, end] = match.indices?.groups?.secret ?? [match.index, match.index + match[0].length];
      yield { start, end };
    }
  }
}
