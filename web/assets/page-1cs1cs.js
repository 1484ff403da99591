// Two-way: everybody in the room sees and hears everybody else. Whoever presses
// the button calls all who are there.

import { openCamera } from './media.js';
import { Page } from './page.js';
import { element } from './view.js';

const page = new Page('1cs1cs');
element('call_H').addEventListener('click', () => page.start());
element('hangup').addEventListener('click', () => page.hangUp());

page.enter('both', page.open(() => openCamera()));
