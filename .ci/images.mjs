/** Makes the pictures of docs/images: `npm run images`. It needs tmux and Chromium. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { photographConsole } from './images/console.mjs';
import { root } from './images/home.mjs';
import { renderTerminal } from './images/svg.mjs';
import { recordWizard } from './images/wizard.mjs';

const directory = join(root, 'docs', 'images');
mkdirSync(directory, { recursive: true });
const title = 'cloud-cli wizard: asks for a role, shows the exact command, and mints the credential';
writeFileSync(join(directory, 'wizard.svg'), renderTerminal(await recordWizard(), title));
writeFileSync(join(directory, 'console.png'), await photographConsole());
