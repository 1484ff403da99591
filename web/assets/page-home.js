// The landing page.

import { speak } from './lang.js';
import { RoomMaker } from './roommaker.js';
import { element, show } from './view.js';

speak(element('language'));
show(!window.isSecureContext, 'insecure');
new RoomMaker();
