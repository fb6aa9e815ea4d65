/** The names that secrets go by, normalised: lower-cased, separators dropped, matched at the end of a longer name. */

export type Grade =
  /** Its value is a secret unless it is a placeholder or prose. */
  | 'secret'
  /** A word of other trades too: its value is a secret only where it looks like one. */
  | 'maybe';

/** Long enough to be unmistakable at the end of any name: `db_password`, `AWS_SESSION_TOKEN`, `x-amz-signature`. */
const endings =
  /(?:password|passwd|passphrase|passcode|passwort|secret|secretaccesskey|secretkey|secretkeybase|secretvalue|secrettext|secretstring|secretbinary|secretdata|clientsecretvalue|token|tokenvalue|tokensecret|bearer|apikey|accesskey|accountkey|privatekey|privatekeypem|privatekeydata|clientkeydata|sharedkey|sharedaccesskey|storagekey|subscriptionkey|functionskey|signingkey|encryptionkey|decryptionkey|masterkey|customerkey|sessionkey|keymaterial|sshkey|signature|signaturevalue|authorization|authorizationauxiliary|proxyauth|httpauth|cookie|jsessionid|externalid|secretid|tokencode|mfacode|otpcode|verificationcode|devicecode|codeverifier|authcode|authorizationcode|assertion|samlresponse|samlart|identityheader|mysqlpwd|rediscliauth|requirepass|sshpass|passwordhash|mnemonic|seedphrase|privateexponent|credentialblob|artapi|userpwd|(?:primary|secondary)(?:master|readonly|readonlymaster)?key|key[12])$/;

/** Too short for that: a whole word of the name, or the whole name. */
const words = new Set([
  'pass',
  'pwd',
  'pw',
  'otp',
  'totp',
  'pin',
  'sig',
  'sas',
  'jwt',
  'psk',
  'pat',
  'hmac',
  'bindpw',
]);

const doubtful =
  /(?:key|keys|code|auth|sid|session|sessionid|ticket|cred|creds|credential|credentials|tokens|secrets|passwords|cookies|pass|clientprincipal|samlrequest)$/;

/** What ends like a secret's name and is none: page tokens, public keys, and the names of calls and of errors. */
const innocent =
  /(?:(?:next|page|pagination|continuation|starting|sync|skip|resume|cancellation|delta)token|(?:public|partition|sort|row|context|tag|host|primarykey|foreign|cache|object|routing|registry)key|(?:status|error|exit|return|response|result|reason|country|language|region|zip|postal|http|state|substatus|statuscode)code|hasstate)$/;
const calls = new Set([
  'print',
  'get',
  'generate',
  'invalid',
  'expired',
  'missing',
  'unexpected',
  'bad',
  'unknown',
  'unsupported',
  'no',
]);

/** What stands before a bare `key` and makes it a secret's name: `API key: X`. */
export const keyOfWords =
  /(?:secret|access|api|account|private|session|shared|storage|signing|master|encryption)[ _-]$/i;

/** Under these stands a whole document that is a secret, in XML. */
export const secretElements =
  /(?:^|:)(?:encrypted)?assertion$|(?:^|:)requestedsecuritytoken$|(?:^|:)encryptedkey$/i;

/** Single letters that some commands take a password by, where the line says so too. */
export const passwordFlags = new Set(['-p', '-P', '-w', '-a']);

/** Names of what people choose and type: their values may be short and look like words. */
export const typedNames = /(?:password|passwd|passphrase|passcode|pass|pwd|pw)$/;

/** Names whose value is a line, not a word: headers with parameters. */
export const lineNames = /(?:authorization|authorizationauxiliary|cookie|proxyauth)$/;

export function normalised(name: string): string {
  return name.replace(/[^A-Za-z\d]/g, '').toLowerCase();
}

export function gradeOf(name: string): Grade | undefined {
  const tail = name.slice(-80);
  const whole = normalised(tail);
  if (whole === '' || innocent.test(whole)) return undefined;
  const parts = tail
    .replace(/([a-z\d])(?=[A-Z])/g, '$1 ')
    .toLowerCase()
    .split(/[^a-z\d]+/)
    .filter(Boolean);
  if (parts.some((part) => calls.has(part))) return undefined;
  if (endings.test(whole) || words.has(parts.at(-1)!)) return 'secret';
  return doubtful.test(whole) ? 'maybe' : undefined;
}
