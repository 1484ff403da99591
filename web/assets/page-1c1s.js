// One sends its camera, the other watches.

import { openCamera } from './media.js';
import { sendOrWatch } from './sender.js';

sendOrWatch('1c1s', { open: () => openCamera(), atOnce: true });
