// One shares a screen, any number watch. A browser shares a screen only after a
// click. A phone that can't share its screen sends its camera.

import { canShareScreen, openScreen } from './media.js';
import { sendOrWatch } from './sender.js';

sendOrWatch('nc1s', { open: openScreen, atOnce: false, screen: canShareScreen() });
